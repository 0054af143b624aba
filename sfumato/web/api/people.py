"""People of the project, their sessions and tokens, invitations, and projects."""


from sfumato.people.invitations import invite, list_invitations, revoke_invitation
from sfumato.people.members import add_member, list_members, remove_member, set_roles
from sfumato.people.owner import make_owner_code
from sfumato.people.persons import disable, enable, introduce, me, rename
from sfumato.people.projects import (
    archive_project,
    create_project,
    list_projects,
    rename_project,
    show_project,
    unarchive_project,
)
from sfumato.people.roles import show_permissions
from sfumato.people.signins import list_sessions, revoke_session
from sfumato.people.tokens import list_tokens, make_token, revoke_token
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

offer(router, "GET", "/me", me)
offer(router, "PATCH", "/me", rename)
offer(router, "POST", "/me/introduction", introduce)
offer(router, "GET", "/me/sessions", list_sessions)
offer(router, "POST", "/me/sessions/{session}/revoke", revoke_session)
offer(router, "GET", "/me/tokens", list_tokens)
offer(router, "POST", "/me/tokens", make_token, once=False)
offer(router, "POST", "/me/tokens/{token}/revoke", revoke_token)
offer(router, "GET", "/people", list_members)
offer(router, "POST", "/people", add_member)
offer(router, "PUT", "/people/{person}/roles", set_roles)
offer(router, "DELETE", "/people/{person}", remove_member)
offer(router, "POST", "/people/{person}/disable", disable)
offer(router, "POST", "/people/{person}/enable", enable)
offer(router, "GET", "/invitations", list_invitations)
offer(router, "POST", "/invitations", invite, once=False)
offer(router, "POST", "/invitations/{invitation}/revoke", revoke_invitation)
offer(router, "GET", "/projects", list_projects)
offer(router, "POST", "/projects", create_project)
offer(router, "GET", "/projects/{project}", show_project)
offer(router, "PATCH", "/projects/{project}", rename_project)
offer(router, "POST", "/projects/{project}/archive", archive_project)
offer(router, "POST", "/projects/{project}/unarchive", unarchive_project)
offer(router, "GET", "/permissions", show_permissions)
offer(router, "POST", "/owner-codes", make_owner_code, once=False)
