/** What the decoders of all signals share: a request lists resources, these scopes, these items. */
import { attributesOf, type JsonAttribute, listOf, type Message, messageOf } from "./values.ts";

/** What was refused of an accepted request. */
export interface PartialSuccess {
  readonly rejected: number;
  /** Why; empty when nothing was refused. */
  readonly reason: string;
}

/** The rows of a request. */
export interface Decoded<T> extends PartialSuccess {
  readonly rows: readonly T[];
}

export interface Steps<R, S, T> {
  /** The fields that list the resources, the scopes of each and the items of each scope. */
  readonly fields: readonly [resources: string, scopes: string, items: string];
  readonly resource: (attributes: readonly JsonAttribute[]) => R;
  readonly scope: (scope: Message, resource: R) => S;
  /** An item as a row, or why it is refused. */
  readonly item: (item: Message, scope: S) => T | string;
}

/** Reads a request item by item; an item that is refused does not hinder the others. */
export function decode<R, S, T>(request: Message, steps: Steps<R, S, T>): Decoded<T> {
  const [resources, scopes, items] = steps.fields;
  const rows: T[] = [];
  let rejected = 0;
  let reason = "";
  for (const group of listOf(request[resources], resources)) {
    const resource = steps.resource(
      attributesOf(messageOf(group["resource"], "resource")["attributes"]),
    );
    for (const scoped of listOf(group[scopes], scopes)) {
      const scope = steps.scope(messageOf(scoped["scope"], "scope"), resource);
      for (const item of listOf(scoped[items], items)) {
        const row = steps.item(item, scope);
        if (typeof row === "string") {
          rejected += 1;
          reason = row;
        } else rows.push(row);
      }
    }
  }
  return { rows, rejected, reason };
}
