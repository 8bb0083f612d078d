import { conflict, invalid } from '../api/meta/api-error.ts';
import { jsonEqual } from '../api/meta/equality.ts';
import { FieldPath } from '../api/meta/field.ts';
import { collectErrors, invalid as invalidField } from '../api/meta/field-errors.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { SubresourceStrategy } from '../api/meta/resource.ts';
import type { Int64 } from '../base/json.ts';
import type { ServerContext } from './context.ts';
import { inNamespace } from './decode-object.ts';
import { awaitsFinalizers } from './finalizers.ts';
import { changeLatest } from './latest-state.ts';
import { revisionOf } from './list-options.ts';
import { checkSize } from './object-size.ts';
import { betweenSteps, bodyBytes, type ResourceRequest, warn } from './request.ts';
import { StoredObject } from './stored-object.ts';
import { kindSubjectOf, staleObject, subjectOf, writeOver, writeRemoval } from './write.ts';

/**
 * What PUT, PATCH and the writing subresources share (upstream: GuaranteedUpdate).
 *
 * 1. What the object becomes is worked out from its latest state; if somebody else writes in between,
 *    it is worked out again, unless the client said which state it meant.
 * 2. An update that changes nothing writes nothing: the resourceVersion stays.
 * 3. An object that is being deleted goes with the update that takes its last finalizer off.
 */

/** A change of one object. */
export interface Replacement {
	/**
	 * What the object is to become, decoded and defaulted; throws an ApiError to refuse. Between steps that
	 * each take long for a large object it awaits `pause`.
	 */
	next(current: KubeObject, pause: () => Promise<void> | undefined): KubeObject | Promise<KubeObject>;
	readonly strategy: UpdateStrategy;
	readonly dryRun: boolean;
}

/** What an update may change, by whichever path. */
export interface UpdateStrategy extends SubresourceStrategy<KubeObject> {
	warnings?(object: KubeObject, old: KubeObject | undefined): readonly string[];
	droppedFields?(given: KubeObject, old: KubeObject | undefined): readonly string[];
	readonly allowUnconditionalUpdate: boolean;
}

/** Performs the change and resolves to what is stored then. Throws NotFound, Conflict, Invalid. */
export async function replace(
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
		return settle(server, request, current, { next, dryRun: replacement.dryRun });
	});
}

/** The object that will be stored: admitted, prepared, validated, defaulted. `pause` is awaited between. */
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

async function settle(
	server: ServerContext,
	request: ResourceRequest,
	current: StoredObject,
	{ next, dryRun }: { readonly next: KubeObject; readonly dryRun: boolean },
): Promise<StoredObject | undefined> {
	const { resource } = request;
	if (isFinished(next, current.object)) {
		const removed = dryRun ? current : await writeRemoval(server, current);
		// The client gets the object that it sent, as upstream answers it.
		return removed && draft(resource.codec, removed, next);
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

/** Nothing keeps the object any longer: it was asked to go, and its grace period is over. */
function isFinished(next: KubeObject, old: KubeObject): boolean {
	if (old.metadata.deletionTimestamp === undefined || awaitsFinalizers(next)) return false;
	return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

function draft(
	codec: StoredObject['codec'],
	{ key, revision }: StoredObject,
	object: KubeObject,
): StoredObject {
	const value = codec.encode(object);
	return new StoredObject(codec, { key, revision, value });
}

/** Sees to it that the update is of the current state, which it then names. */
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

/** What no update can change stays as it was; a uid that differs is for validation to refuse. */
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

/** 409 for a uid that is not the object's: it was deleted and made anew under its name. */
export function checkUid(request: ResourceRequest, current: KubeObject, uid: string | undefined): void {
	const { resource, definition, namespace, name } = request;
	if (!uid || uid === current.metadata.uid) return;
	const key = resource.codec.key(namespace, name);
	const detail = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid ?? ''}`;
	throw conflict(subjectOf(definition, name), detail);
}
