/**
 * The write path: every verb and subresource that writes passes it (upstream: the generic registry store with
 * GuaranteedUpdate). Verbs differ only in how the next state is made.
 *
 *     current or nothing → next → admission mutates → allocate → managedFields → prepare → validate
 *     → admission validates → compare and set
 *
 * 1. The next state is computed from the latest state of the object. If another writer changes the object in
 *    between, it is computed again, and admitted, prepared and validated again.
 * 2. A write that changes nothing is not stored, and the resourceVersion stays. Otherwise a controller that
 *    repeats an update would wake all watches of the object.
 * 3. The update that removes the last finalizer of an object with a deletionTimestamp removes the object.
 * 4. A dry run passes all stages; only its last one differs (dry-run.ts).
 */

import { managedFieldsAfter, withManagedFields } from '../../api/apply/managed-fields.ts';
import { services } from '../../api/core/service/definition.ts';
import { invalid } from '../../api/errors/api-error.ts';
import { collectErrors } from '../../api/errors/field-errors.ts';
import type { FieldError } from '../../api/errors/field-path.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import { awaitsFinalizers } from '../../api/meta/finalizers.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { jsonEqual } from '../../api/schema/equality.ts';
import { assert } from '../../base/assert.ts';
import { runAfter } from '../../base/turn.ts';
import { attributesFor } from '../admission/admission.ts';
import type { Allocated } from '../allocation/service-addresses.ts';
import { ServiceWriter } from '../allocation/service-writer.ts';
import type { ServerContext } from '../context.ts';
import { betweenSteps, bodyBytes, type ResourceRequest, warn } from '../request.ts';
import type { WriteOptions } from '../verbs/write-options.ts';
import { CompareAndSwap, kindSubjectOf, type ObjectWriter, staleObject } from './compare-and-swap.ts';
import { DryRun } from './dry-run.ts';
import { changeLatest } from './latest-state.ts';
import { checkSize } from './object-size.ts';
import { StoredObject } from './stored-object.ts';

/** Returns a promise to await before a step that takes long for a large object; see {@link betweenSteps}. */
export type Pause = () => Promise<void> | undefined;

/** What a write does to the object. */
export type NextState =
	/** The object is stored. It is decoded and defaulted. */
	| { readonly type: 'put'; readonly object: KubeObject }
	/** The object is removed; `object` is its last state, for the response. */
	| { readonly type: 'remove'; readonly object: KubeObject }
	/** The object stays as it is. */
	| { readonly type: 'keep' };

/** A write of one object. */
export interface ObjectWrite {
	/** A CREATE expects that no object of this name exists; the others change the one that does. */
	readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
	readonly dryRun: boolean;
	/** The options of the request, for admission. */
	readonly options: WriteOptions | DeleteOptions;
	/** Whether admission is skipped: the Binding or Eviction that was posted has passed it. */
	readonly isAdmitted?: boolean;
	/**
	 * Returns the next state, from the current one (undefined for CREATE). Throws an ApiError to reject the
	 * write. It is called again if another writer was faster.
	 */
	next(current: KubeObject | undefined, pause: Pause): NextState | Promise<NextState>;
	/** Undefined for changes that the server makes itself: they are not prepared, validated or limited in size. */
	readonly strategy?: WriteStrategy;
}

/** The stages of a write that the kind determines; `old` is undefined for CREATE. */
export interface WriteStrategy {
	prepare(given: KubeObject, old: KubeObject | undefined): KubeObject;
	validate(prepared: KubeObject, old: KubeObject | undefined): readonly FieldError[];
	/** See Strategy.warnings and Strategy.droppedFields in api/contract. */
	warnings?(prepared: KubeObject, old: KubeObject | undefined): readonly string[];
	droppedFields?(given: KubeObject, old: KubeObject | undefined): readonly string[];
}

/** The result of a write. */
export type Written =
	/** The stored object, whether the write changed it or not. */
	| { readonly type: 'stored'; readonly stored: StoredObject }
	/** The object, which the write was to keep. */
	| { readonly type: 'kept'; readonly stored: StoredObject }
	/** The object is removed. `last` has the revision of its removal, `object` is the state for the response. */
	| { readonly type: 'removed'; readonly last: StoredObject; readonly object: KubeObject };

/**
 * Performs a write. Throws NotFound or AlreadyExists, Conflict, Invalid, RequestEntityTooLarge, or what
 * admission and `next` throw.
 */
export async function guaranteedUpdate(
	server: ServerContext,
	request: ResourceRequest,
	write: ObjectWrite,
): Promise<Written> {
	const attempt = (current: StoredObject | undefined): Promise<Written | undefined> =>
		writeOnce({ server, request, write }, current);
	if (write.operation !== 'CREATE') return changeLatest(server, request, attempt);
	for (let attempts = 0; attempts < CREATE_ATTEMPTS; attempts++) {
		const written = await attempt(undefined);
		if (written) return written;
	}
	const { definition, name } = request;
	throw staleObject(definition, name);
}

/** How often a create is tried whose addresses were given to others meanwhile. */
const CREATE_ATTEMPTS = 100;

/** The object of the response. */
export function resultOf(written: Written): StoredObject {
	if (written.type !== 'removed') return written.stored;
	const { last, object } = written;
	const { codec, key, revision } = last;
	return new StoredObject(codec, { key, revision, value: codec.encode(object) });
}

interface WriteContext {
	readonly server: ServerContext;
	readonly request: ResourceRequest;
	readonly write: ObjectWrite;
}

/** One attempt of a write, with what was allocated for it. */
interface Attempt extends WriteContext {
	allocated: Allocated | undefined;
}

/** One attempt with the current state of the object. Undefined if another writer was faster. */
async function writeOnce(
	context: WriteContext,
	current: StoredObject | undefined,
): Promise<Written | undefined> {
	const { server, request } = context;
	const pause: Pause = () =>
		betweenSteps(server, request.call, bodyBytes(request.call) + (current?.size ?? 0));
	const attempt: Attempt = { ...context, allocated: undefined };
	try {
		return await runAfter(current && pause(), () => writeStages(attempt, current, pause));
	} finally {
		attempt.allocated?.end();
	}
}

/** The stages of one attempt, with a pause before each. */
async function writeStages(
	context: Attempt,
	current: StoredObject | undefined,
	pause: Pause,
): Promise<Written | undefined> {
	// Decodes the object if it is not in memory, which takes as long as the steps below.
	const old = current?.object;
	const next = await context.write.next(old, pause);
	const change = await runAfter(pause(), () => prepare(context, next, { old, pause }));
	// After the last pause, so that admission sees the latest state of other objects.
	return runAfter(pause(), () =>
		runAfter(validateAdmission(context, change, old), () => commit(context, change, current)),
	);
}

/** The state to store: admitted, prepared, validated and defaulted. */
async function prepare(
	context: Attempt,
	next: NextState,
	{ old, pause }: { readonly old: KubeObject | undefined; readonly pause: Pause },
): Promise<NextState> {
	const { request, write } = context;
	const { strategy } = write;
	if (next.type !== 'put' || !strategy) return next;
	const mutated = mutateAdmission(context, next.object, old);
	const admitted = allocate(context, mutated instanceof Promise ? await mutated : mutated, old);
	const { managedFields: sent } = admitted.metadata;
	const { managedFields: stored } = old?.metadata ?? {};
	const { subresource } = request;
	const given = withManagedFields(admitted, managedFieldsAfter({ sent, stored, subresource }));
	const prepared = strategy.prepare(given, old);
	const errors = collectErrors(() => strategy.validate(prepared, old));
	if (errors.length > 0) {
		const name = request.name || (prepared.metadata.name ?? '');
		throw invalid(kindSubjectOf(request.definition, name), errors);
	}
	return runAfter(pause(), () => {
		for (const text of strategy.droppedFields?.(given, old) ?? []) warn(request.call, text);
		for (const text of strategy.warnings?.(prepared, old) ?? []) warn(request.call, text);
		// Default again, since preparing can add parts that have defaults of their own. Upstream applies these when
		// it next reads the object.
		const object = request.definition.defaults(prepared);
		return { type: old && completesDeletion(object, old) ? 'remove' : 'put', object };
	});
}

/** The mutation phase of admission; see {@link Admission.mutate}. */
function mutateAdmission(
	{ server, request, write }: WriteContext,
	object: KubeObject,
	old: KubeObject | undefined,
): KubeObject | Promise<KubeObject> {
	const { operation, dryRun, options, isAdmitted = false } = write;
	if (isAdmitted) return object;
	return server.admission.mutate(attributesFor(request, { operation, object, old, dryRun, options }));
}

/** The object with what the server allocates for its kind. The attempt ends the allocation. */
function allocate(attempt: Attempt, object: KubeObject, old: KubeObject | undefined): KubeObject {
	const { server, request, write } = attempt;
	const { definition, subresource } = request;
	const allocation = { definition, subresource, object, old, dryRun: write.dryRun };
	attempt.allocated = server.serviceAddresses.begin(allocation);
	return attempt.allocated?.object ?? object;
}

/** The validation phase of admission; see {@link Admission.validate}. */
function validateAdmission(
	{ server, request, write }: WriteContext,
	change: NextState,
	old: KubeObject | undefined,
): Promise<void> | undefined {
	const { operation, dryRun, options, isAdmitted = false } = write;
	if (isAdmitted) return undefined;
	const object = operation === 'DELETE' || change.type === 'keep' ? undefined : change.object;
	return server.admission.validate(attributesFor(request, { operation, object, old, dryRun, options }));
}

/** Stores the change. Undefined if another writer was faster. */
async function commit(
	{ server, request, write }: WriteContext,
	change: NextState,
	current: StoredObject | undefined,
): Promise<Written | undefined> {
	const writer = writerOf(server, request, write.dryRun);
	if (change.type === 'put') {
		const { object } = change;
		if (current && jsonEqual(object, current.object)) return { type: 'stored', stored: current };
		const next = { object, value: request.resource.codec.encode(object) };
		const { definition, subresource } = request;
		if (write.strategy) checkSize({ definition, subresource, next, old: current });
		const stored = await (current ? writer.update(current, next) : writer.create(request, next));
		return stored && { type: 'stored', stored };
	}
	assert(current !== undefined, 'only an object that exists can be kept or removed');
	if (change.type === 'keep') return { type: 'kept', stored: current };
	const last = await writer.remove(current);
	return last && { type: 'removed', last, object: change.object };
}

function writerOf(server: ServerContext, { definition }: ResourceRequest, dryRun: boolean): ObjectWriter {
	if (dryRun) return new DryRun();
	const writer = new CompareAndSwap(server);
	return definition === services ? new ServiceWriter(server, writer) : writer;
}

/**
 * Whether the update completes a deletion: the object was being deleted, its grace period is over and it has
 * no finalizers left.
 */
function completesDeletion(next: KubeObject, old: KubeObject): boolean {
	if (old.metadata.deletionTimestamp === undefined || awaitsFinalizers(next)) return false;
	return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}
