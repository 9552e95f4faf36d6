/**
 * Shared by the decoders of all signals: a request lists resources, these list scopes, and these
 * list items.
 */
import { attributesOf, type JsonAttribute, listOf, type Message, messageOf } from "./values.ts";

/** The refused part of an accepted request. */
export interface PartialSuccess {
  readonly rejected: number;
  /** The reason; empty when nothing was refused. */
  readonly reason: string;
}

/** The rows of a request. */
export interface Decoded<T> extends PartialSuccess {
  readonly rows: readonly T[];
}

export interface Steps<R, S, T> {
  /** Names of the fields with the resources, the scopes of each, and the items of each scope. */
  readonly fields: readonly [resources: string, scopes: string, items: string];
  readonly resource: (attributes: readonly JsonAttribute[]) => R;
  readonly scope: (scope: Message, resource: R) => S;
  /** Converts an item into a row, or returns the reason for refusing it. */
  readonly item: (item: Message, scope: S) => T | string;
}

/** Reads a request item by item; a refused item does not affect the others. */
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
