/** What a call takes and answers, read from the types that openapi-typescript makes of a contract. */

export interface Described {
  parameters: { query?: unknown; header?: unknown; path?: unknown };
  requestBody?: unknown;
  responses: object;
}

type Content<R> = R extends { content: infer C } ? C[keyof C] : undefined;
type Done = 200 | 201 | 202 | 203 | 204 | 205 | 206;
type Body<O> = O extends { requestBody: { content: infer C } }
  ? { body: C[keyof C] }
  : O extends { requestBody?: { content: infer C } }
    ? { body?: C[keyof C] }
    : object;

/** `idempotencyKey`: one is made where none is said. */
export interface Said {
  idempotencyKey?: string;
  correlationId?: string;
  signal?: AbortSignal;
}

export type Given<O extends Described> = Pick<O["parameters"], "path" | "query" | "header"> & Body<O> & Said;
export type Answer<O extends Described> = Content<O["responses"][keyof O["responses"] & Done]>;
export type Item<A, M extends string> = A extends { [name in M]?: readonly (infer I)[] } ? I : never;
