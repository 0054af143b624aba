"""`sfumato people`: who works here, in which roles, and with which tokens."""

from typing import TYPE_CHECKING, Annotated

import typer

from sfumato.cli.speech import answer, opened, pairs, table

if TYPE_CHECKING:
    from sfumato.people.members import MemberView
    from sfumato.people.tokens import TokenView

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Who works here, and in which roles.")
tokens = typer.Typer(add_completion=False, no_args_is_help=True, help="See, make and revoke your own API tokens.")
app.add_typer(tokens, name="tokens")
Person = Annotated[str, typer.Argument(metavar="PERSON", help="Their sign-in name or id.")]
Roles = Annotated[list[str], typer.Option("--role", metavar="ROLE", help="A role; say it again for several.")]


def told(one: "MemberView") -> str:
    """Say who it is and in which roles."""
    return f"{one.name} is here as {', '.join(one.roles)}."


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the members of the project with their roles.

    Example: `sfumato people list --project llamas`
    """
    from sfumato.people.members import list_members

    with opened(context) as workspace:
        found = list_members(workspace)
    rows = [
        (one.name, one.login, ", ".join(one.roles), "may not come in" if one.disabled else "", f"{one.since:%Y-%m-%d}")
        for one in found
    ]
    empty = "Nobody has an account here. `sfumato people owner-code` makes the first one."
    answer(context, found, lambda: table(["name", "signs in as", "roles", "", "since"], rows, empty=empty))


@app.command()
def me(context: typer.Context) -> None:
    """Show who you are here, and what you may do.

    Example: `sfumato people me`
    """
    from sfumato.people.persons import me as look

    with opened(context) as workspace:
        one = look(workspace)
    known = [("name", one.name), ("id", one.id), ("roles", ", ".join(one.roles)), ("may", ", ".join(one.permissions))]
    answer(context, one, lambda: pairs(known))


@app.command()
def introduce(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you are called.")],
    role: Roles,
    called: Annotated[str, typer.Option(metavar="NAME", help="What the project is called from now on.")] = "",
) -> None:
    """Say what you are called and at which desks you work; at this machine you may do everything all the same.

    Example: `sfumato people introduce "Ada" --role researcher --role "prompt designer"`
    """
    from sfumato.people.persons import introduce as come_in

    with opened(context) as workspace:
        one = come_in(workspace, name=name, roles=role, project=called)
    answer(context, one, lambda: f"Welcome, {one.name}.")


@app.command("owner-code")
def owner_code(context: typer.Context) -> None:
    """Make a code by which somebody becomes an owner of the workspace in the studio, once, within an hour.

    Example: `sfumato people owner-code`
    """
    from sfumato.people.owner import make_owner_code

    with opened(context) as workspace:
        made = make_owner_code(workspace)
    answer(context, made, lambda: f"{made.code}\nIt is good once, until {made.expires_at:%H:%M} UTC.")


@app.command()
def invite(
    context: typer.Context,
    role: Roles,
    note: Annotated[str, typer.Option(metavar="TEXT", help="For whom it is.")] = "",
    days: Annotated[int, typer.Option(min=1, max=31, help="How long it is good.")] = 7,
) -> None:
    """Make a code that lets one person into the project. It is shown this once.

    Example: `sfumato people invite --role viewer --note "Grace"`
    """
    from sfumato.people.invitations import invite as make

    with opened(context) as workspace:
        made = make(workspace, roles=role, note=note, days=days)
    until = made.invitation.expires_at
    answer(context, made, lambda: f"{made.code}\nIt is good once, until {until:%Y-%m-%d}, and is not shown again.")


@app.command()
def invitations(context: typer.Context) -> None:
    """List the invitations to the project.

    Example: `sfumato people invitations`
    """
    from sfumato.people.invitations import list_invitations

    with opened(context) as workspace:
        found = list_invitations(workspace)
    rows = [(one.id[-6:], one.state, ", ".join(one.roles), one.note, f"{one.expires_at:%Y-%m-%d}") for one in found]
    headings = ["invitation", "state", "roles", "for", "until"]
    answer(context, found, lambda: table(headings, rows, empty="Nobody is invited."))


@app.command("take-back")
def take_back(
    context: typer.Context, invitation: Annotated[str, typer.Argument(metavar="INVITATION", help="The end of its id.")]
) -> None:
    """Take an invitation back that nobody has used.

    Example: `sfumato people take-back 4f7a2c`
    """
    from sfumato.people.invitations import revoke_invitation

    with opened(context) as workspace:
        one = revoke_invitation(workspace, invitation=invitation)
    answer(context, one, lambda: "It is good no more.")


@app.command()
def add(context: typer.Context, person: Person, role: Roles) -> None:
    """Let somebody who has an account into this project as well.

    Example: `sfumato people add grace@example.org --role viewer`
    """
    from sfumato.people.members import add_member

    with opened(context) as workspace:
        one = add_member(workspace, person=person, roles=role)
    answer(context, one, lambda: told(one))


@app.command()
def roles(context: typer.Context, person: Person, role: Roles) -> None:
    """Give a member these roles in place of those they had.

    Example: `sfumato people roles grace@example.org --role "ML engineer" --role admin`
    """
    from sfumato.people.members import set_roles

    with opened(context) as workspace:
        one = set_roles(workspace, person=person, roles=role)
    answer(context, one, lambda: told(one))


@app.command()
def remove(context: typer.Context, person: Person) -> None:
    """Take somebody out of the project. What they made stays.

    Example: `sfumato people remove grace@example.org`
    """
    from sfumato.people.members import remove_member

    with opened(context) as workspace:
        remove_member(workspace, person=person)
    answer(context, {"removed": person}, lambda: "They are no member any more.")


@app.command()
def disable(context: typer.Context, person: Person) -> None:
    """Let somebody in no more, in any project.

    Example: `sfumato people disable grace@example.org`
    """
    from sfumato.people.persons import disable as shut_out

    with opened(context) as workspace:
        shut_out(workspace, person=person)
    answer(context, {"disabled": person}, lambda: "They may come in no more. `sfumato people enable` undoes it.")


@app.command()
def enable(context: typer.Context, person: Person) -> None:
    """Let somebody in again.

    Example: `sfumato people enable grace@example.org`
    """
    from sfumato.people.persons import enable as let_in

    with opened(context) as workspace:
        let_in(workspace, person=person)
    answer(context, {"enabled": person}, lambda: "They may sign in again.")


@app.command()
def reset(context: typer.Context, person: Person) -> None:
    """Make a code by which somebody who lost their password sets a new one in the studio, once, within an hour.

    Their sessions end at once.

    Example: `sfumato people reset grace@example.org`
    """
    from sfumato.people.lost_passwords import reset_password

    with opened(context) as workspace:
        made = reset_password(workspace, person=person)
    said = f"{made.code}\n{made.name} sets a new password with it at /new-password in the studio, signing in as "
    answer(context, made, lambda: f"{said}{made.login}.\nIt is good once, until {made.expires_at:%H:%M} UTC.")


@app.command()
def permissions(context: typer.Context) -> None:
    """Show which role may do what.

    Example: `sfumato people permissions`
    """
    from sfumato.people.roles import show_permissions

    with opened(context) as workspace:
        found = show_permissions(workspace)
    rows = [(one.name, one.about, ", ".join(one.roles)) for one in found.permissions]
    answer(context, found, lambda: table(["permission", "what it lets one do", "roles"], rows, empty=""))


@app.command()
def sessions(
    context: typer.Context,
    person: Person,
    end: Annotated[
        str | None, typer.Option(metavar="SESSION", help="End this one, named by the end of its id.")
    ] = None,
) -> None:
    """List where somebody is signed in, or end one of these sessions.

    Example: `sfumato people sessions grace@example.org --end 4f7a2c`
    """
    from sfumato.people.signins import list_sessions, revoke_session

    with opened(context) as workspace:
        if end:
            revoke_session(workspace, session=end, person=person)
        found = list_sessions(workspace, person=person)
    rows = [(one.id[-6:], f"{one.made_at:%Y-%m-%d %H:%M}", f"{one.used_at:%Y-%m-%d %H:%M}", one.user_agent)
            for one in found]  # fmt: skip
    answer(context, found, lambda: table(["session", "since", "last used", "with"], rows, empty="Signed in nowhere."))


def token_row(one: "TokenView") -> tuple[str, ...]:
    """One token as a row."""
    used = f"{one.used_at:%Y-%m-%d}" if one.used_at else "never"
    state = "" if one.lives else "revoked" if one.revoked_at else "expired"
    return one.id[-6:], f"{one.prefix}…", one.name, ", ".join(one.scopes), f"{one.expires_at:%Y-%m-%d}", used, state


@tokens.command("list")
def list_tokens(context: typer.Context) -> None:
    """List your API tokens for the project.

    Example: `sfumato people tokens list`
    """
    from sfumato.people.tokens import list_tokens as own

    with opened(context) as workspace:
        found = own(workspace)
    headings = ["token", "begins", "name", "may", "until", "used", ""]
    answer(context, found, lambda: table(headings, map(token_row, found), empty="No tokens yet."))


@tokens.command()
def make(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    may: Annotated[list[str], typer.Option("--may", metavar="PERMISSION", help="What it may do; again for several.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it lives.")] = 90,
) -> None:
    """Make an API token. It is shown this once.

    Example: `sfumato people tokens make nightly --may record.read --may image.create`
    """
    from sfumato.people.tokens import make_token

    with opened(context) as workspace:
        made = make_token(workspace, name=name, scopes=may, days=days)
    until = made.token.expires_at
    answer(context, made, lambda: f"{made.secret}\nIt lives until {until:%Y-%m-%d}, and is not shown again.")


@tokens.command()
def revoke(context: typer.Context, token: Annotated[str, typer.Argument(metavar="TOKEN")]) -> None:
    """End one of your tokens at once, named by the end of its id or by how it begins.

    Example: `sfumato people tokens revoke 4f7a2c`
    """
    from sfumato.people.tokens import revoke_token

    with opened(context) as workspace:
        one = revoke_token(workspace, token=token)
    answer(context, one, lambda: f"{one.prefix}… is good no more.")
