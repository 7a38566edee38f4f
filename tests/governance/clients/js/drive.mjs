// Drives a built client against answers of its own and prints what was sent and what came of it: node drive.mjs DIST
const { Client, Problem } = await import(`${process.argv[2]}/index.js`);
const sent = [];
const answers = [];
const json = (status, body, headers = {}) => () => new Response(JSON.stringify(body), { status, headers });
const fetch = async (url, init) => {
  sent.push({ url: String(url), key: init.headers.get?.("Idempotency-Key"), authorization: init.headers.get?.("Authorization") });
  return answers.shift()();
};
const client = Client.withCredentials({ baseUrl: "http://door.test", clientId: "a", secret: "s", fetch });

answers.push(json(200, { access_token: "t1", expires_in: 600 }));
answers.push(json(503, { title: "Busy" }, { "Retry-After": "0" }));
answers.push(() => { throw new TypeError("fetch failed"); });
answers.push(json(401, {}), json(200, { access_token: "t2", expires_in: 600 }), json(201, { id: "a" }));
const made = await client.shopV1.makeThing({ body: { colour: "red" } });

answers.push(json(200, { items: [{ id: "a" }], next: "c" }), json(200, { items: [{ id: "b" }] }));
const listed = [];
for await (const thing of client.shopV1.eachOfListThings({ query: { ids: [1, 2] } })) listed.push(thing.id);

answers.push(json(404, { type: "urn:trivium:problem:not-found", detail: "no", fix: "look elsewhere", correlation_id: "c-1" }));
const refusal = await client.shopV1.getThing({ path: { "thing-id": "a/b" } }).catch((error) => error);
const escaped = await client.shopV1.getThing({ path: { "thing-id": ".." } }).catch((error) => error.name);
answers.push(json(503, {}));
const unkeyed = await client.shopV1.paint({ path: { "thing-id": "a" }, body: { colour: "red" } }).catch((error) => error.status);

console.log(JSON.stringify({
  made, listed, sent, escaped, unkeyed, left: answers.length,
  refusal: { known: refusal instanceof Problem, kind: refusal.kind, fix: refusal.fix, id: refusal.correlationId },
}));
