import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { conflict } from '../../api/errors/api-error.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { jsonEqual } from '../../api/schema/equality.ts';
import { isNamespace, terminateNamespace } from '../../plan/deletion/namespace-deletion.ts';
import { type DeletionAct, planDeletion } from '../../plan/deletion/plan-deletion.ts';
import type { ServerContext } from '../context.ts';
import { betweenSteps, type Call, type ResourceRequest, warn } from '../request.ts';
import { type Result, success } from '../result.ts';
import { kindSubjectOf, writeOver, writeRemoval } from '../storage/compare-and-swap.ts';
import { changeLatest } from '../storage/latest-state.ts';
import { StoredObject } from '../storage/stored-object.ts';
import { deleteOptions, isDryRun } from './delete-options.ts';

/** DELETE of one object. Throws NotFound, or Conflict if a precondition does not hold. */
export async function deleteObject(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = await deleteOptions(request.call);
	warnOfDefault(request, options);
	return deleteWith(server, request, options);
}

/**
 * Deletes an object, or sets its deletionTimestamp if it has finalizers or a grace period. The decision is
 * based on the latest state of the object: if another writer changes it in between, the decision is made
 * again.
 */
export async function deleteWith(
	server: ServerContext,
	request: ResourceRequest,
	options: DeleteOptions,
): Promise<Result> {
	const { definition } = request;
	server.admission.delete(request);
	return changeLatest(server, request, async (current) => {
		// Decoding the object, if it is not in memory, takes as long as the rest of the deletion; hence the
		// pause.
		const { object } = current;
		const turn = betweenSteps(server, request.call, current.size);
		if (turn) await turn;
		checkPreconditions(definition, object, options);
		const act = isNamespace(definition)
			? terminateNamespace(object, server.clock.now())
			: planDeletion(definition, object, options, server.clock.now());
		return applyAct(server, request, current, { act, options });
	});
}

/** Applies the decision to the object. Undefined if another writer was faster. */
async function applyAct(
	server: ServerContext,
	request: ResourceRequest,
	current: StoredObject,
	{ act, options }: { readonly act: DeletionAct; readonly options: DeleteOptions },
): Promise<Result | undefined> {
	const { definition } = request;
	const showsObject = definition.deletion.gracePeriodSeconds !== undefined;
	if (act.kind === 'pending') {
		if (!showsObject && !isNamespace(definition)) return deletedStatus(definition, current.object);
		return { type: 'object', code: 200, stored: current };
	}
	const dryRun = isDryRun(options);
	if (act.kind === 'mark') {
		const marked = await mark(server, current, { object: act.object, dryRun, call: request.call });
		// As upstream: 202 for an object that is not removed yet, but only if the client set the deprecated
		// orphanDependents to false.
		const code = options.orphanDependents === false ? 202 : 200;
		return marked && { type: 'object', code, stored: marked };
	}
	const removed = dryRun ? current : await writeRemoval(server, current);
	if (!removed) return undefined;
	if (!showsObject) return deletedStatus(definition, act.object);
	return { type: 'object', code: 200, stored: unstored(removed, act.object) };
}

/** Stores the object with its deletion marks. A repeated DELETE that changes nothing is not written. */
async function mark(
	server: ServerContext,
	current: StoredObject,
	{ object, dryRun, call }: { readonly object: KubeObject; readonly dryRun: boolean; readonly call: Call },
): Promise<StoredObject | undefined> {
	const isMarked = jsonEqual(object, current.object);
	const turn = betweenSteps(server, call, current.size);
	if (turn) await turn;
	if (isMarked) return current;
	return dryRun ? unstored(current, object) : writeOver(server, current, object);
}

/**
 * The response for all kinds but those with a grace period (Pods), which are returned themselves: a Status
 * that names the deleted object and its UID.
 */
function deletedStatus({ group, resource }: ResourceDefinition, { metadata }: KubeObject): Result {
	const { name = '', uid } = metadata;
	return success(200, { name, ...(group && { group }), kind: resource, ...(uid && { uid }) });
}

/** The object as the client receives it, in a state that is not stored. */
function unstored({ codec, key, revision }: StoredObject, object: KubeObject): StoredObject {
	return new StoredObject(codec, { key, revision, value: codec.encode(object) });
}

/** Throws Conflict if the object's UID or resourceVersion differs from the preconditions in the options. */
export function checkPreconditions(
	definition: ResourceDefinition,
	{ metadata }: KubeObject,
	{ preconditions }: DeleteOptions,
): void {
	const subject = kindSubjectOf(definition, metadata.name ?? '');
	const { uid, resourceVersion } = preconditions ?? {};
	if (uid !== undefined && uid !== metadata.uid) {
		const text = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
		throw conflict(subject, text);
	}
	if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
		const text = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
		throw conflict(subject, text);
	}
}

/** Warns a client that set no propagation policy, if the default of the kind may surprise it. */
export function warnOfDefault(
	{ call, definition: { deletion } }: ResourceRequest,
	{ orphanDependents, propagationPolicy }: DeleteOptions,
): void {
	if (deletion.defaultPropagationWarning === undefined) return;
	if (orphanDependents === undefined && propagationPolicy === undefined) {
		warn(call, deletion.defaultPropagationWarning);
	}
}
