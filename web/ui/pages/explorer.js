// The API explorer: each operation of the server's own description with a form, what it answers, and the line for curl.
import { h, put } from "../lib/dom.js";
import { address, ask, keyText } from "../lib/api.js";
import { description, me, offers, resolve } from "../lib/access.js";
import { confirmed } from "../lib/dialog.js";
import { button, card, copy, heading } from "../lib/parts.js";
import { field, form } from "../lib/form.js";

const METHODS = ["get", "post", "patch", "put", "delete"];

function operationsOf() {
  const list = [];
  for (const [path, item] of Object.entries(description().paths))
    for (const method of METHODS)
      if (item[method] && offers(`${method.toUpperCase()} ${path}`))
        list.push({ ...item[method], path, method: method.toUpperCase(), id: item[method].operationId });
  return list;
}

// Something of the right shape to begin with: what is required, and what has a default or few values.
function sample(schema, deep = 0) {
  schema = resolve(schema);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => sample(one, deep)));
  if (schema.oneOf) return sample(schema.oneOf[0], deep);
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object" || schema.properties) {
    const body = {};
    for (const name of schema.required || Object.keys(schema.properties || {}).slice(0, 2))
      body[name] = deep < 4 ? sample((schema.properties || {})[name], deep + 1) : {};
    return body;
  }
  if (type === "array") return deep < 4 ? [sample(schema.items, deep + 1)] : [];
  return { string: "", integer: schema.minimum ?? 0, number: schema.minimum ?? 0, boolean: false }[type] ?? null;
}

function typeText(schema) {
  schema = resolve(schema);
  const type = [schema.type].flat().filter(Boolean).join(" or ");
  const range =
    schema.minimum !== undefined || schema.maximum !== undefined
      ? `, ${schema.minimum ?? ""} to ${schema.maximum ?? ""}`
      : "";
  return schema.enum
    ? `one of ${schema.enum.join(", ")}`
    : `${type}${range}${schema.format ? `, ${schema.format}` : ""}`;
}

function schemaTable(schema) {
  schema = resolve(schema);
  const properties =
    schema.properties || Object.assign({}, ...(schema.allOf || []).map((one) => resolve(one).properties || {}));
  const names = Object.keys(properties);
  return (
    names.length > 0 &&
    h(
      "details",
      null,
      h("summary", null, "Fields of the body"),
      h(
        "dl.facts",
        null,
        names.map((name) => {
          const one = resolve(properties[name]);
          return h(
            "div",
            null,
            h("dt", null, h("code", null, name), (schema.required || []).includes(name) && " *"),
            h("dd", null, typeText(one), one.description && h("span.hint", null, ` – ${one.description}`)),
          );
        }),
      ),
    )
  );
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curlOf(operation, path, query, body) {
  const parts = ["curl"];
  if (operation.method !== "GET") parts.push("-X", operation.method);
  if (!operation.security || operation.security.length) parts.push("-H", `"Authorization: Bearer $KEY"`);
  if (body) parts.push("-H", "'Content-Type: application/json'", "-d", quoted(body));
  parts.push(quoted(location.origin + address(path, query)));
  return parts.join(" ");
}

async function answer(at, reply) {
  const type = reply.headers.get("Content-Type") || "";
  const head = h("p", { role: "status" }, h("strong", null, `${reply.status} ${reply.statusText}`), ` ${type}`);
  if (/event-stream/.test(type)) {
    reply.body.cancel();
    return put(at, head, h("p.hint", null, "A stream without an end: use the line for curl."));
  }
  if (/json|text|csv/.test(type)) {
    const text = await reply.text();
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      /* it is not JSON, and is shown as it is */
    }
    return put(at, head, h("pre", { tabindex: "0", "aria-label": "Reply" }, shown.slice(0, 200000)));
  }
  const blob = await reply.blob();
  put(
    at,
    head,
    blob.size > 0 &&
      h("p", null, h("a", { href: URL.createObjectURL(blob), download: "reply" }, `Save ${blob.size} octets`)),
  );
}

function operationForm(operation) {
  const parameters = (operation.parameters || []).map(resolve);
  const content = resolve(operation.requestBody).content || {},
    json = content["application/json"];
  const reply = h("div", { "aria-live": "polite" }),
    curl = h("pre", { tabindex: "0", "aria-label": "Line for curl" });
  const read = (element) => {
    let path = operation.path;
    const query = {},
      headers = {};
    for (const one of parameters) {
      const value = element.elements["p:" + one.name].value.trim();
      if (one.in === "path")
        path = path.replace(`{${one.name}}`, encodeURIComponent(value).replaceAll("%2F", "/") || `{${one.name}}`);
      else if (value && one.in === "query") query[one.name] = value;
      else if (value) headers[one.name] = value;
    }
    return { path, query, headers, body: json ? element.elements.body.value : "" };
  };
  const redraw = () => {
    const wanted = read(element);
    curl.textContent = curlOf(operation, wanted.path, wanted.query, wanted.body);
  };
  const element = form(
    {
      action: `${operation.method} it`,
      danger: operation.method === "DELETE",
      submit: async () => {
        const wanted = read(element);
        if (
          operation.method === "DELETE" &&
          !(await confirmed("Really delete it?", `${operation.method} ${wanted.path} cannot be undone.`, "Delete it"))
        )
          return;
        let body;
        if (json)
          try {
            body = JSON.parse(wanted.body);
          } catch (error) {
            throw new Error(`The body is no JSON: ${error.message}`);
          }
        put(reply, h("p.loading", null, "Asking…"));
        try {
          await answer(
            reply,
            await ask(operation.method, wanted.path, { query: wanted.query, headers: wanted.headers, json: body }),
          );
        } catch (error) {
          put(
            reply,
            h(
              "div.note.tone-bad",
              null,
              h("p", null, error.status ? `${error.status} ${error.code}: ` : "", error.message),
              (error.errors || []).map((one) => h("p", null, h("code", null, one.pointer), " ", one.detail)),
            ),
          );
        }
      },
    },
    parameters.map((one) =>
      field(`${one.name}${one.required ? " *" : ""}`, {
        name: "p:" + one.name,
        hint: [one.description, typeText(one.schema || {})].filter(Boolean).join(" – "),
        required: one.required,
        autocomplete: "off",
        ...(resolve(one.schema).enum
          ? {
              options: [
                ...(one.required ? [] : [["", "–"]]),
                ...resolve(one.schema).enum.map((value) => [value, value]),
              ],
            }
          : {}),
      }),
    ),
    json && [
      field("Body", {
        name: "body",
        type: "textarea",
        rows: 10,
        class: "mono",
        spellcheck: "false",
        value: JSON.stringify(sample(json.schema), null, 2),
      }),
      schemaTable(json.schema),
    ],
    !json &&
      Object.keys(content).length > 0 &&
      h("p.hint", null, `The body is ${Object.keys(content).join(" or ")}: use curl.`),
  );
  element.addEventListener("input", redraw);
  redraw();
  const scopes = (operation.security || []).flatMap((one) => Object.values(one).flat());
  return card(
    operation.summary || operation.id,
    h("p", null, h("span.method", null, operation.method), h("code", null, operation.path)),
    operation.description && h("p.hint", null, operation.description),
    h(
      "p.hint",
      null,
      scopes.length ? `Needs the scope ${[...new Set(scopes)].join(" or ")}. ` : "",
      operation["x-roles"] ? `Roles: ${operation["x-roles"].join(", ")}.` : "",
    ),
    element,
    h("h3", null, "With curl"),
    curl,
    h(
      "div.actions",
      null,
      button("Copy", () => copy(curl.textContent, "The line is")),
    ),
    h("h3", null, "Reply"),
    reply,
  );
}

export function show(view, { query }) {
  const list = operationsOf(),
    chosen = list.find((one) => one.id === query.get("op")) || list[0];
  const tags = [...new Set(list.map((one) => (one.tags || ["other"])[0]))];
  const menu = h(
    "nav.card.operations",
    { "aria-label": "Operations" },
    tags.map((tag) =>
      h(
        "details",
        { open: (chosen.tags || ["other"])[0] === tag },
        h("summary", null, tag),
        h(
          "ul",
          null,
          list
            .filter((one) => (one.tags || ["other"])[0] === tag)
            .map((one) =>
              h(
                "li",
                null,
                h(
                  "a",
                  {
                    href: `#/explorer?op=${one.id}`,
                    "aria-current": one === chosen ? "page" : null,
                    title: `${one.method} ${one.path}`,
                  },
                  h("span.method", null, one.method),
                  one.summary || one.path,
                ),
              ),
            ),
        ),
      ),
    ),
  );
  put(
    view,
    heading("API explorer", h("a.button", { href: "/v1/openapi.json", download: "openapi.json" }, "OpenAPI document")),
    h(
      "p.hint",
      null,
      `What you do here is done: it is this server. You ask as ${me() ? me().name : keyText() ? "your API key" : "nobody"}.`,
    ),
    h("div.explorer", null, menu, h("div", null, operationForm(chosen))),
  );
}
