"""Asks and comments: what somebody wants of somebody, and what was said about a record."""


from sfumato.people.asks import (
    answer_ask,
    asks_about,
    asks_of_mine,
    asks_waiting,
    change_ask,
    decline_ask,
    make_ask,
    show_ask,
    withdraw_ask,
)
from sfumato.people.comments import comments_on, edit_comment, withdraw_comment, write_comment
from sfumato.people.notices import read_to, unread
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

offer(router, "GET", "/asks", asks_of_mine)
offer(router, "POST", "/asks", make_ask)
offer(router, "GET", "/waiting-asks", asks_waiting)
offer(router, "GET", "/asks-about/{ref:path}", asks_about)
offer(router, "GET", "/asks/{ask}", show_ask)
offer(router, "PATCH", "/asks/{ask}", change_ask)
offer(router, "POST", "/asks/{ask}/answer", answer_ask)
offer(router, "POST", "/asks/{ask}/decline", decline_ask)
offer(router, "POST", "/asks/{ask}/withdraw", withdraw_ask)
offer(router, "GET", "/comments/{about:path}", comments_on)
offer(router, "POST", "/comments", write_comment)
offer(router, "PATCH", "/comments/{comment}", edit_comment)
offer(router, "POST", "/comments/{comment}/withdraw", withdraw_comment)
offer(router, "GET", "/notices", unread)
offer(router, "POST", "/notices/read", read_to)
