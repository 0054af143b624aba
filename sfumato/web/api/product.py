"""What a model has to reach before it goes live, and going live."""


from sfumato.product.criteria import check, drop_criterion, known_measures, set_criterion, show_criterion
from sfumato.product.launch import go_live, roll_back, show_live
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

offer(router, "GET", "/models/{model}/criterion", show_criterion)
offer(router, "PUT", "/models/{model}/criterion", set_criterion)
offer(router, "DELETE", "/models/{model}/criterion", drop_criterion)
offer(router, "GET", "/models/{model}/check", check)
offer(router, "GET", "/measures", known_measures)
offer(router, "GET", "/live", show_live)
offer(router, "POST", "/models/{model}/go-live", go_live)
offer(router, "POST", "/live/roll-back", roll_back)
