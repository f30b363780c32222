// Where a received fax was passed on to by the rules: how far each delivery is, why it is not there yet, and once more.
import { h } from "./dom.js";
import { get, part, post, verb } from "./api.js";
import { offers } from "./access.js";
import { toast } from "./dialog.js";
import { button, doing, smallTable } from "./parts.js";
import { capital, number, plural, when } from "./format.js";
import { badge } from "./words.js";
import { methodLabel } from "./route_method_form.js";

const STATES = {
  waiting: ["wait", "clock", "Waits"],
  running: ["work", "up", "Under way"],
  delivered: ["good", "check", "Delivered"],
  failed: ["bad", "cross", "Given up"],
};

const stateOf = (one) => badge(...(STATES[one.status] || ["off", "dot", capital(one.status)]));

// Its last word, and what comes next.
function said(one) {
  if (one.status === "delivered") return when(one.ended_at);
  return [
    one.reason ? capital(one.reason.replace(/\.$/, "")) + ". " : "",
    one.status === "waiting" && one.next_at ? ["Next try ", when(one.next_at, { ago: true })] : "",
    one.status === "waiting" && !one.next_at && !one.reason ? "As soon as it is its turn" : "",
  ];
}

// What belongs into the section, or null when there is nothing to say. `look` looks at it all again.
export async function routeDeliveries(fax, signal, look) {
  const { data, has_more: more } = await get(`/v1/faxes/${part(fax.id)}/deliveries`, { limit: 200 }, signal);
  const again =
    offers("POST /v1/faxes/{}/route") &&
    !fax.junk &&
    fax.links.document &&
    fax.status !== "routing" &&
    button(
      data.length ? "Pass it on anew" : "Pass it on by the rules",
      doing(async () => {
        const next = await verb(`/v1/faxes/${part(fax.id)}/route`);
        toast(next.status === "routing" ? "The rules are asked again" : "No rule fits: it stays in the inbox");
        look();
      }),
    );
  const actions = again && h("div.actions", null, again);
  if (!data.length)
    return [h("p.hint", null, fax.junk ? "Junk is not passed on." : "No rule has passed it on."), actions];
  return [
    smallTable(
      `Passed on by ${plural(new Set(data.map((one) => one.rule)).size, "rule")}`,
      [
        [
          "To",
          (one) => [
            methodLabel(one.method),
            one.target && h("span.hint", null, h("br"), one.target),
            one.rule_name && h("span.hint", null, h("br"), `Rule: ${one.rule_name}`),
          ],
        ],
        ["State", stateOf],
        ["Tries", (one) => number(one.tries), "num"],
        ["What happened", said],
        [
          "",
          (one) =>
            ["waiting", "failed"].includes(one.status) &&
            offers("POST /v1/faxes/{}/deliveries/{}/retry") &&
            button(
              "Try again",
              doing(async () => {
                await post(`/v1/faxes/${part(fax.id)}/deliveries/${part(one.id)}/retry`);
                toast("It is tried now");
                look();
              }),
            ),
          "act",
        ],
      ],
      data,
    ),
    more && h("p.hint", null, "Older ones are not shown."),
    actions,
  ];
}
