import type { SubresourceStrategy } from '../../api/contract/resource-definition.ts';
import { conflict, invalid } from '../../api/errors/api-error.ts';
import { collectErrors, fieldInvalid as invalidField } from '../../api/errors/field-errors.ts';
import { FieldPath } from '../../api/errors/field-path.ts';
import { awaitsFinalizers } from '../../api/meta/finalizers.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { jsonEqual } from '../../api/schema/equality.ts';
import type { Int64 } from '../../base/json/json.ts';
import type { ServerContext } from '../context.ts';
import { betweenSteps, bodyBytes, type ResourceRequest, warn } from '../request.ts';
import { inNamespace } from '../verbs/decode-object.ts';
import { revisionOf } from '../verbs/list-options.ts';
import { kindSubjectOf, staleObject, subjectOf, writeOver, writeRemoval } from './compare-and-swap.ts';
import { changeLatest } from './latest-state.ts';
import { checkSize } from './object-size.ts';
import { StoredObject } from './stored-object.ts';

/**
 * The common part of PUT, PATCH and the subresources that write (upstream: Update in the generic registry
 * store, with GuaranteedUpdate).
 *
 * 1. The new state is computed from the latest state of the object. If another writer changes the object in
 *    between, it is computed again, unless the client sent a resourceVersion; then the request fails with
 *    Conflict.
 * 2. An update that changes nothing is not written, and the resourceVersion stays. Otherwise a controller
 *    that repeats an update would wake all watches of the object.
 * 3. The update that removes the last finalizer of an object with a deletionTimestamp removes the object.
 */

/** A change of one object. */
export interface Replacement {
	/**
	 * Returns the new state of the object, decoded and defaulted. Throws an ApiError to reject the change. It
	 * awaits `pause` between steps that take long for a large object.
	 */
	next(current: KubeObject, pause: () => Promise<void> | undefined): KubeObject | Promise<KubeObject>;
	readonly strategy: UpdateStrategy;
	readonly dryRun: boolean;
}

/** The strategy of an update of the object or of one of its subresources. */
export interface UpdateStrategy extends SubresourceStrategy<KubeObject> {
	warnings?(object: KubeObject, old: KubeObject | undefined): readonly string[];
	droppedFields?(given: KubeObject, old: KubeObject | undefined): readonly string[];
	readonly allowUnconditionalUpdate: boolean;
}

/**
 * Performs the change and resolves to the stored object. Throws NotFound, Conflict, Invalid, or
 * RequestEntityTooLarge.
 */
export async function guaranteedUpdate(
	server: ServerContext,
	request: ResourceRequest,
	replacement: Replacement,
): Promise<StoredObject> {
	return changeLatest(server, request, async (current) => {
		const pause = (): Promise<void> | undefined =>
			betweenSteps(server, request.call, bodyBytes(request.call) + current.size);
		const next = await prepare(server, request, current.object, { ...replacement, pause });
		const turn = pause();
		if (turn) await turn;
		return storeOrRemove(server, request, current, { next, dryRun: replacement.dryRun });
	});
}

/**
 * The object to store: admitted, prepared, validated and defaulted. It awaits `pause` between these steps.
 */
async function prepare(
	server: ServerContext,
	request: ResourceRequest,
	old: KubeObject,
	{ next, strategy, pause }: Replacement & { pause(): Promise<void> | undefined },
): Promise<KubeObject> {
	const { definition, namespace, name } = request;
	const wanted = inNamespace(await next(old, pause), namespace);
	const decoded = pause();
	if (decoded) await decoded;
	const admitted = server.admission.update(request, checkVersion(request, wanted, old, strategy), old);
	const given = withGeneration(admitted, old.metadata.generation);
	const prepared = keepSystemFields(strategy.prepareForUpdate(given, old), old);
	const errors = collectErrors(() => strategy.validateUpdate(prepared, old));
	if (errors.length > 0) throw invalid(kindSubjectOf(definition, name), errors);
	const validated = pause();
	if (validated) await validated;
	for (const text of strategy.droppedFields?.(given, old) ?? []) warn(request.call, text);
	for (const text of strategy.warnings?.(prepared, old) ?? []) warn(request.call, text);
	return definition.defaults(prepared);
}

/**
 * Stores the new state, or removes the object if nothing keeps it. Undefined if another writer was faster.
 */
async function storeOrRemove(
	server: ServerContext,
	request: ResourceRequest,
	current: StoredObject,
	{ next, dryRun }: { readonly next: KubeObject; readonly dryRun: boolean },
): Promise<StoredObject | undefined> {
	const { resource } = request;
	if (completesDeletion(next, current.object)) {
		const removed = dryRun ? current : await writeRemoval(server, current);
		// The client receives the object that it sent, as upstream.
		return removed && unstored(resource.codec, removed, next);
	}
	if (jsonEqual(next, current.object)) return current;
	const value = resource.codec.encode(next);
	const { definition, subresource } = request;
	checkSize({ definition, subresource, next: { object: next, value }, old: current });
	const { key, revision } = current;
	return dryRun
		? new StoredObject(resource.codec, { key, revision, value })
		: writeOver(server, current, next, value);
}

/**
 * Whether the update completes a deletion: the object was being deleted, its grace period is over and it has
 * no finalizers left.
 */
function completesDeletion(next: KubeObject, old: KubeObject): boolean {
	if (old.metadata.deletionTimestamp === undefined || awaitsFinalizers(next)) return false;
	return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

function unstored(
	codec: StoredObject['codec'],
	{ key, revision }: StoredObject,
	object: KubeObject,
): StoredObject {
	const value = codec.encode(object);
	return new StoredObject(codec, { key, revision, value });
}

/**
 * Checks that the update is based on the current state, and sets its resourceVersion if the client sent none.
 * Throws Conflict for an older state, and Invalid if the kind requires a resourceVersion.
 */
function checkVersion(
	{ definition, name }: ResourceRequest,
	object: KubeObject,
	old: KubeObject,
	{ allowUnconditionalUpdate }: UpdateStrategy,
): KubeObject {
	const asked = revisionOf(object.metadata.resourceVersion ?? '') ?? 0;
	const { resourceVersion } = old.metadata;
	if (asked !== 0) {
		if (String(asked) !== resourceVersion) throw staleObject(definition, name);
		return object;
	}
	if (!allowUnconditionalUpdate) {
		const path = new FieldPath('metadata').child('resourceVersion');
		throw invalid(subjectOf(definition, name), [invalidField(path, 0, 'must be specified for an update')]);
	}
	return { ...object, metadata: { ...object.metadata, ...(resourceVersion && { resourceVersion }) } };
}

function withGeneration(object: KubeObject, generation: Int64 | undefined): KubeObject {
	if (object.metadata.generation === generation) return object;
	const { generation: _own, ...metadata } = object.metadata;
	return { ...object, metadata: { ...metadata, ...(generation !== undefined && { generation }) } };
}

/**
 * Restores the metadata that no update can change. A different uid is kept as sent, so that validation
 * rejects it.
 */
function keepSystemFields(object: KubeObject, old: KubeObject): KubeObject {
	const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
	const { metadata } = object;
	const kept = {
		...(!metadata.uid && uid && { uid }),
		...(creationTimestamp && { creationTimestamp }),
		...(deletionTimestamp && { deletionTimestamp }),
		...(metadata.deletionGracePeriodSeconds === undefined &&
			deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
	};
	return { ...object, metadata: { ...metadata, ...kept } };
}

/**
 * Throws Conflict if `uid` is not the object's: the one that the client means was deleted, and another one
 * was created with its name. An empty `uid` matches any.
 */
export function checkUid(request: ResourceRequest, current: KubeObject, uid: string | undefined): void {
	const { resource, definition, namespace, name } = request;
	if (!uid || uid === current.metadata.uid) return;
	const key = resource.codec.key(namespace, name);
	const detail = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid ?? ''}`;
	throw conflict(subjectOf(definition, name), detail);
}
