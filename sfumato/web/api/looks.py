"""What pictures look like: the map of a dataset, search by a picture, and suggestions of captions."""


from sfumato.data.alike import find_alike
from sfumato.data.map import draw_map, show_map
from sfumato.data.suggest import accept_suggestions, refuse_suggestions, suggest_captions
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

offer(router, "POST", "/datasets/{name}/map", draw_map)
offer(router, "GET", "/datasets/{name}/map", show_map)
offer(router, "POST", "/datasets/{name}/alike", find_alike, name="data.alike", once=False)
offer(router, "POST", "/datasets/{name}/suggestions", suggest_captions)
offer(router, "POST", "/datasets/{name}/decisions/accept-suggestions", accept_suggestions)
offer(router, "POST", "/datasets/{name}/decisions/refuse-suggestions", refuse_suggestions)
