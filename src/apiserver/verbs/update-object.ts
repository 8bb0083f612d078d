import type { SubresourceStrategy } from '../../api/contract/resource-definition.ts';
import { conflict, invalid } from '../../api/errors/api-error.ts';
import { fieldInvalid as invalidField } from '../../api/errors/field-errors.ts';
import { FieldPath } from '../../api/errors/field-path.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { assert } from '../../base/assert.ts';
import type { Int64 } from '../../base/json/json.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { staleObject, subjectOf } from '../storage/compare-and-swap.ts';
import { guaranteedUpdate, type Pause, resultOf } from '../storage/guaranteed-update.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { inNamespace } from './decode-object.ts';
import { revisionOf } from './list-options.ts';
import type { WriteOptions } from './write-options.ts';

/** An update of one object: by PUT, PATCH, or through a subresource. */
export interface Update {
	/**
	 * Returns the new state of the object, decoded and defaulted. Throws an ApiError to reject the change. It
	 * awaits `pause` between steps that take long for a large object.
	 */
	next(current: KubeObject, pause: Pause): KubeObject | Promise<KubeObject>;
	readonly strategy: UpdateStrategy;
	readonly options: WriteOptions;
	/** Whether admission is skipped: the Binding or Eviction that was posted has passed it. */
	readonly isAdmitted?: boolean;
}

/** The strategy of an update of the object or of one of its subresources. */
export interface UpdateStrategy extends SubresourceStrategy<KubeObject> {
	warnings?(object: KubeObject, old: KubeObject | undefined): readonly string[];
	droppedFields?(given: KubeObject, old: KubeObject | undefined): readonly string[];
	readonly allowUnconditionalUpdate: boolean;
}

/**
 * Updates the object that the request names. If another writer changes it in between, `next` is called again,
 * unless the client sent a resourceVersion; then the request fails with Conflict. Resolves to the object for
 * the response: if the update removed the object, that is its last state, as upstream.
 */
export async function updateObject(
	server: ServerContext,
	request: ResourceRequest,
	{ next, strategy, options, isAdmitted = false }: Update,
): Promise<StoredObject> {
	const written = await guaranteedUpdate(server, request, {
		operation: 'UPDATE',
		dryRun: options.dryRun,
		options,
		isAdmitted,
		strategy: {
			prepare: (given, old) => keepSystemFields(strategy.prepareForUpdate(given, present(old)), present(old)),
			validate: (prepared, old) => strategy.validateUpdate(prepared, present(old)),
			warnings: (prepared, old) => strategy.warnings?.(prepared, old) ?? [],
			droppedFields: (given, old) => strategy.droppedFields?.(given, old) ?? [],
		},
		next: async (current, pause) => {
			const old = present(current);
			const wanted = inNamespace(await next(old, pause), request.namespace);
			const based = checkVersion(request, wanted, { old, strategy });
			return { type: 'put', object: withGeneration(based, old.metadata.generation) };
		},
	});
	return resultOf(written);
}

/** The write path passes the current object to every update. */
function present(old: KubeObject | undefined): KubeObject {
	assert(old !== undefined, 'an update has no current object');
	return old;
}

/**
 * Checks that the update is based on the current state, and sets its resourceVersion if the client sent none.
 * Throws Conflict for an older state, and Invalid if the kind requires a resourceVersion.
 */
function checkVersion(
	{ definition, name }: ResourceRequest,
	object: KubeObject,
	{ old, strategy }: { readonly old: KubeObject; readonly strategy: UpdateStrategy },
): KubeObject {
	const asked = revisionOf(object.metadata.resourceVersion ?? '') ?? 0;
	const { resourceVersion } = old.metadata;
	if (asked !== 0) {
		if (String(asked) !== resourceVersion) throw staleObject(definition, name);
		return object;
	}
	if (!strategy.allowUnconditionalUpdate) {
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
