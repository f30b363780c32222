/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights. What somebody must not know of is not there for them; what they may see but not do is refused. */
#include "web/access.h"

#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"

int64_t access_user(const struct request *request)
{
    return request->user.role == USER_SENDER ? request->user.id : 0;
}

bool access_sees(const struct request *request, const struct fax *fax)
{
    int64_t user = access_user(request);

    return user == 0 || fax->user_id == user || fax->assigned == user;
}

bool access_check(struct request *request)
{
    if (request->user.id == 0 || request->user.role & request->route->roles)
        return true;
    request_problem(request, 403, "role_not_allowed", "the role %s of %s does not allow this",
                    user_role_name(request->user.role), request->user.name);
    return false;
}

bool access_fax(struct fax *fax, struct request *request)
{
    int result = fax_find(fax, request->web->options.spool, request->params[0]);

    if (result == 0 && !access_sees(request, fax)) {
        fax_clear(fax);
        result = ERR_NOT_FOUND;
    }
    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_fax", "there is no fax %s", request->params[0]);
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}

int64_t access_requester(const struct request *request)
{
    return request->key.id ? request->key.id : -request->user.id;
}
