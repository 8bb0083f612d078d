/**
 * How large an object may be. Every later request on an object reads all of it, so its size is bounded; and an
 * object that was accepted must be able to live on, so a write by a controller is never refused for its size.
 *
 * 1. What its author writes (labels, annotations, spec, with the defaults that the server fills in) has the
 *    lowest limit. It is counted without the fields that controllers and the server write: the status, owner
 *    references, finalizers, what the server sets in metadata, and the resource's `controllerFields`.
 * 2. With these fields, but without its status, an object may take more. An object that has a controller is
 *    held to this limit only: a Job that a CronJob makes, and a Pod that a Job makes, hold more values than the
 *    template, and its author can do nothing about a refusal.
 * 3. With its status it may take more still. Subresources are held to this limit only: a status can be written,
 *    a Pod be bound and evicted, a Namespace be finalized. DELETE is not limited.
 * 4. An object that is beyond a limit may be changed as long as the update does not make it larger.
 */
import { tooLarge } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { countValues, isList, isRecord, own } from '../base/json.ts';

/** How much an object, or a part of it, may hold. */
interface Size {
	readonly bytes: number;
	readonly values: number;
}

const MIB = 1024 * 1024;

/** Rule 1. Upstream: etcd takes no request of more than 1.5 MiB (`--max-request-bytes`). */
const AUTHORED: Size = { bytes: 1.5 * MIB, values: 20_000 };

/**
 * Rule 2. The most that a controller adds is the variable JOB_COMPLETION_INDEX in each container: seven values,
 * as many as the smallest container has with its defaults. Beside it there are labels, tolerations and owners.
 */
const GENERATED: Size = { bytes: 2 * MIB, values: 2.5 * AUTHORED.values };

/** Rule 3. The status of a container that was restarted has up to 30 values and 1 KB. */
const WITH_STATUS: Size = { bytes: 6 * MIB, values: 8 * AUTHORED.values };

/** The path of a field from the object's root. */
type Path = readonly string[];

const STATUS: Path = ['status'];

/** Fields of every object that controllers and the server write; rule 1 does not count them. */
const CONTROLLED: readonly Path[] = [
	STATUS,
	['metadata', 'ownerReferences'],
	['metadata', 'finalizers'],
	['metadata', 'generation'],
	['metadata', 'deletionTimestamp'],
	['metadata', 'deletionGracePeriodSeconds'],
];

/** A write whose outcome is judged. */
export interface SizedWrite {
	readonly definition: Pick<ResourceDefinition, 'controllerFields'>;
	/** Empty for the object itself. */
	readonly subresource: string;
	/** What would be stored. */
	readonly next: Encoded;
	/** What it replaces; undefined for a new object. */
	readonly old: Encoded | undefined;
}

/** An object, and its encoding. */
interface Encoded {
	readonly object: KubeObject;
	readonly value: Uint8Array;
}

/** Throws RequestEntityTooLarge for a write that would make an object too large by the rules above. */
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
			throw tooLarge(`more than ${most.values} values, with those that the server fills in`);
		}
	}
}

/** The limits on the body of a PUT or POST: those of the object that it makes. Only lists in a status are longer. */
export function limitsOnBody(method: string): { readonly values: number; readonly keys: number } {
	const { values: keys } = GENERATED;
	// A PUT brings back the whole object, with the status that it has.
	return { values: method === 'PUT' ? WITH_STATUS.values : keys, keys };
}

/** An object as a client sends it. */
export interface SentObject {
	readonly definition: SizedWrite['definition'];
	readonly subresource: string;
	readonly json: unknown;
	/** What it is meant to replace; undefined for a new object. */
	readonly old: KubeObject | undefined;
}

/**
 * Throws RequestEntityTooLarge for an object of too many values before it is decoded. Only its status may be as
 * large as the body, whatever the subresource.
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

/** The smallest limit holds for the whole object. */
function isSmall({ object, value }: Encoded): boolean {
	const { bytes, values } = AUTHORED;
	if (value.length > bytes) return false;
	// Each value takes two bytes or more.
	return value.length < 2 * values || countValues(object, values) <= values;
}

/** A limit, and the fields that do not count towards it. */
interface Limit {
	readonly most: Size;
	readonly uncounted: readonly Path[];
}

const WITHOUT_STATUS: Limit = { most: GENERATED, uncounted: [STATUS] };
const WHOLE: Limit = { most: WITH_STATUS, uncounted: [] };

/** The limits on writes of the object itself. */
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
	const left = fieldsAt(paths, object);
	const bytes = value.length - (Buffer.byteLength(JSON.stringify(left)) - EMPTY_BYTES);
	return { bytes, values: valuesWithout(paths, object) };
}

function valuesWithout(paths: readonly Path[], object: unknown): number {
	return countValues(object, Infinity) - countValues(fieldsAt(paths, object), Infinity);
}

/** The length of `{}`. */
const EMPTY_BYTES = 2;

/** The fields that the object has at the paths, as an object with a field for each. */
function fieldsAt(paths: readonly Path[], object: unknown): Readonly<Record<string, unknown>> {
	const entries = paths.map((path): [string, unknown] => [path.join('.'), fieldAt(object, path)]);
	return Object.fromEntries(entries.filter(([, field]) => field !== undefined));
}

function fieldAt(object: unknown, path: Path): unknown {
	return path.reduce<unknown>((at, field) => (isRecord(at) ? own(at, field) : undefined), object);
}
