// The reader's own password.
import { put } from "../lib/dom.js";
import { call } from "../lib/api.js";
import { me } from "../lib/access.js";
import { toast } from "../lib/dialog.js";
import { card, facts, heading } from "../lib/parts.js";
import { field, form, showFaults } from "../lib/form.js";
import { capital, when } from "../lib/format.js";

export function show(view) {
  const user = me(),
    inside = form(
      {
        action: "Change the password",
        submit: async (data) => {
          if (data.new !== data.again)
            return showFaults(inside, { errors: [{ pointer: "/again", detail: "These two are not the same." }] });
          await call("POST", "/v1/session/password", { json: { old: data.old, new: data.new }, quiet: true });
          inside.reset();
          toast("The password is changed");
        },
      },
      field("The password until now", {
        name: "old",
        type: "password",
        required: true,
        autocomplete: "current-password",
      }),
      field("New password", { name: "new", type: "password", required: true, autocomplete: "new-password" }),
      field("Once more", { name: "again", type: "password", required: true, autocomplete: "new-password" }),
    );
  put(
    view,
    heading("Your account"),
    user &&
      card(
        "You",
        facts([
          ["Name", user.name],
          ["Role", capital(user.role)],
          ["Email", user.email],
          ["Last sign-in", user.last_login_at && when(user.last_login_at)],
        ]),
      ),
    card("Password", inside),
  );
}
