/**
 * Limits the size of objects. Every later request on an object processes all of it, so its size is bounded.
 * Controllers must always be able to update an object that was accepted, so their writes are never rejected
 * for its size.
 *
 * 1. What the author writes (labels, annotations and spec, including the defaults that the server sets) has
 *    the lowest limit. Fields that controllers and the server write do not count: the status, owner
 *    references, finalizers, managedFields, the metadata that the server sets, and the resource's `controllerFields`.
 * 2. With these fields, but without its status, an object has a higher limit. An object that has a controller
 *    is subject to this limit only: a Job that a CronJob creates, and a Pod that a Job creates, has more
 *    values than its template, and its author could do nothing about an error.
 * 3. With its status an object has the highest limit. Writes to subresources are subject to this limit only,
 *    so that a status can be written, a Pod bound and evicted, a Namespace finalized. DELETE has no limit.
 * 4. An update of an object beyond a limit is allowed if it does not make the object larger.
 */

import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { tooLarge } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { countValues, isList, isRecord, own } from '../../base/json/json.ts';
import type { Encoded } from './compare-and-swap.ts';

/** Size of an object or of a part of it. */
interface Size {
	readonly bytes: number;
	readonly values: number;
}

const MIB = 1024 * 1024;

/** Rule 1. Upstream: etcd rejects requests of more than 1.5 MiB (`--max-request-bytes`). */
const AUTHORED: Size = { bytes: 1.5 * MIB, values: 20_000 };

/**
 * Rule 2. The most that a controller adds is the variable JOB_COMPLETION_INDEX in each container: seven
 * values, as many as the smallest container has with its defaults. It also adds labels, tolerations and owner
 * references.
 */
const GENERATED: Size = { bytes: 2 * MIB, values: 2.5 * AUTHORED.values };

/** Rule 3. The status of a container that was restarted has up to 30 values and 1 KB. */
const WITH_STATUS: Size = { bytes: 6 * MIB, values: 8 * AUTHORED.values };

/** The path of a field from the object's root. */
type Path = readonly string[];

const STATUS: Path = ['status'];

/** Fields of all kinds that controllers and the server write; they do not count for rule 1. */
const CONTROLLED: readonly Path[] = [
	STATUS,
	['metadata', 'ownerReferences'],
	['metadata', 'finalizers'],
	['metadata', 'managedFields'],
	['metadata', 'generation'],
	['metadata', 'deletionTimestamp'],
	['metadata', 'deletionGracePeriodSeconds'],
];

/** A write whose result is checked. */
export interface SizedWrite {
	readonly definition: Pick<ResourceDefinition, 'controllerFields'>;
	/** Name of the subresource; empty for the object itself. */
	readonly subresource: string;
	/** The object to store. */
	readonly next: Encoded;
	/** The object that it replaces; undefined for a new one. */
	readonly old: Encoded | undefined;
}

/** Throws RequestEntityTooLarge if the write would make the object too large by the rules above. */
export function checkSize(write: SizedWrite): void {
	const { definition, subresource, next, old } = write;
	if (isSmall(next)) return;
	const limits = subresource === '' ? limitsOn(definition, next.object) : [WHOLE];
	for (const { most, uncounted } of limits) {
		const size = sizeWithout(uncounted, next);
		const before = old && sizeWithout(uncounted, old);
		if (size.bytes > Math.max(most.bytes, before?.bytes ?? 0)) {
			throw tooLarge(`limit is ${most.bytes}, the object takes ${size.bytes} bytes`);
		}
		if (size.values > Math.max(most.values, before?.values ?? 0)) {
			throw tooLarge(`more than ${most.values} values, including the defaults that the server sets`);
		}
	}
}

/**
 * Limits of the body of a PUT or POST: those of the object that results from it. `values` may exceed `keys`
 * only through lists in a status.
 */
export function limitsOnBody(method: string): { readonly values: number; readonly keys: number } {
	const { values: keys } = GENERATED;
	// A PUT contains the whole object, including its current status.
	return { values: method === 'PUT' ? WITH_STATUS.values : keys, keys };
}

/** An object as a client sends it. */
export interface SentObject {
	readonly definition: SizedWrite['definition'];
	readonly subresource: string;
	readonly json: unknown;
	/** The object that it would replace; undefined for a new one. */
	readonly old: KubeObject | undefined;
}

/**
 * Throws RequestEntityTooLarge for an object with too many values, before it is decoded: decoding is the
 * expensive part. Only the status may be as large as the body, whatever the subresource.
 */
export function checkSent({ definition, subresource, json, old }: SentObject): void {
	const total = countValues(json, Infinity);
	if (total <= AUTHORED.values) return;
	const limits = subresource === '' ? limitsOn(definition, json) : [WITHOUT_STATUS, WHOLE];
	for (const { most, uncounted } of limits) {
		const values = total - countValues(fieldsAt(uncounted, json), Infinity);
		if (values <= most.values || (old && values <= valuesWithout(uncounted, old))) continue;
		throw tooLarge(`more than ${most.values} values`);
	}
}

/** Whether the whole object is within the smallest limit. Nearly all objects are, and this check is cheap. */
function isSmall({ object, value }: Encoded): boolean {
	const { bytes, values } = AUTHORED;
	if (value.length > bytes) return false;
	// Each value takes at least two bytes, so a short encoding need not be counted.
	return value.length < 2 * values || countValues(object, values) <= values;
}

/** A limit, and the fields that do not count towards it. */
interface Limit {
	readonly most: Size;
	readonly uncounted: readonly Path[];
}

const WITHOUT_STATUS: Limit = { most: GENERATED, uncounted: [STATUS] };
const WHOLE: Limit = { most: WITH_STATUS, uncounted: [] };

/** Limits for writes of the object itself. */
function limitsOn(definition: SizedWrite['definition'], object: unknown): readonly Limit[] {
	if (hasController(object)) return [WITHOUT_STATUS, WHOLE];
	return [{ most: AUTHORED, uncounted: uncountedFields(definition) }, WITHOUT_STATUS, WHOLE];
}

/** The fields that rule 1 does not count. */
function uncountedFields({ controllerFields = [] }: SizedWrite['definition']): readonly Path[] {
	return [...CONTROLLED, ...controllerFields];
}

function hasController(object: unknown): boolean {
	const owners = fieldAt(object, ['metadata', 'ownerReferences']);
	return isList(owners) && owners.some((owner) => fieldAt(owner, ['controller']) === true);
}

function sizeWithout(paths: readonly Path[], { object, value }: Encoded): Size {
	const uncountedPart = fieldsAt(paths, object);
	const bytes = value.length - (Buffer.byteLength(JSON.stringify(uncountedPart)) - EMPTY_BYTES);
	return { bytes, values: valuesWithout(paths, object) };
}

function valuesWithout(paths: readonly Path[], object: unknown): number {
	return countValues(object, Infinity) - countValues(fieldsAt(paths, object), Infinity);
}

/** The length of `{}`. */
const EMPTY_BYTES = 2;

/** The fields of the object at these paths, as an object with one entry for each that exists. */
function fieldsAt(paths: readonly Path[], object: unknown): Readonly<Record<string, unknown>> {
	const entries = paths.map((path): [string, unknown] => [path.join('.'), fieldAt(object, path)]);
	return Object.fromEntries(entries.filter(([, field]) => field !== undefined));
}

function fieldAt(object: unknown, path: Path): unknown {
	return path.reduce<unknown>((at, field) => (isRecord(at) ? own(at, field) : undefined), object);
}
