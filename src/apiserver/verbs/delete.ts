import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { storedDefinition } from '../../api/contract/resource-view.ts';
import { conflict } from '../../api/errors/api-error.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { assert } from '../../base/assert.ts';
import { isNamespace, terminateNamespace } from '../../plan/deletion/namespace-deletion.ts';
import { planDeletion } from '../../plan/deletion/plan-deletion.ts';
import type { ServerContext } from '../context.ts';
import { type ResourceRequest, warn } from '../request.ts';
import { type Result, success } from '../result.ts';
import { kindSubjectOf } from '../storage/compare-and-swap.ts';
import { guaranteedUpdate, type NextState, resultOf, type Written } from '../storage/guaranteed-update.ts';
import { deleteOptions, isDryRun } from './delete-options.ts';

/** DELETE of one object. Throws NotFound, or Conflict if a precondition does not hold. */
export async function deleteObject(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = await deleteOptions(request.call);
	warnOfDefault(request, options);
	return deleteWith(server, request, { options });
}

/** A deletion of one object. */
export interface Deletion {
	readonly options: DeleteOptions;
	/** Whether admission is skipped: the Eviction that asks for the deletion has passed it. */
	readonly isAdmitted?: boolean;
}

/**
 * Deletes an object, or sets its deletionTimestamp if it has finalizers or a grace period. The decision is
 * based on the latest state of the object: if another writer changes it in between, the decision is made
 * again.
 */
export async function deleteWith(
	server: ServerContext,
	request: ResourceRequest,
	{ options, isAdmitted = false }: Deletion,
): Promise<Result> {
	const written = await guaranteedUpdate(server, request, {
		operation: 'DELETE',
		dryRun: isDryRun(options),
		options,
		isAdmitted,
		next: (current) => nextState(server, request.definition, { current, options }),
	});
	return responseTo(request, options, written);
}

/** What the deletion does to the object, by the rules in plan/deletion. */
function nextState(
	{ clock }: ServerContext,
	definition: ResourceDefinition,
	{ current, options }: { readonly current: KubeObject | undefined; readonly options: DeleteOptions },
): NextState {
	assert(current !== undefined, 'only an object that exists can be deleted');
	checkPreconditions(definition, current, options);
	const act = isNamespace(definition)
		? terminateNamespace(current, clock.now())
		: planDeletion({ definition, object: current }, options, clock.now());
	if (act.kind === 'pending') return { type: 'keep' };
	return { type: act.kind === 'mark' ? 'put' : 'remove', object: act.object };
}

function responseTo(
	{ definition }: ResourceRequest,
	{ orphanDependents }: DeleteOptions,
	written: Written,
): Result {
	const showsObject = definition.deletion.gracePeriodSeconds !== undefined;
	if (written.type === 'removed' && !showsObject) return deletedStatus(definition, written.object);
	if (written.type === 'kept' && !showsObject && !isNamespace(definition)) {
		return deletedStatus(definition, written.stored.object);
	}
	// As upstream: 202 for an object that is not removed yet, but only if the client set the deprecated
	// orphanDependents to false.
	const code = written.type === 'stored' && orphanDependents === false ? 202 : 200;
	return { type: 'object', code, stored: resultOf(written) };
}

/**
 * The response for all kinds but those with a grace period (Pods), which are returned themselves: a Status
 * that names the deleted object and its UID.
 */
function deletedStatus(definition: ResourceDefinition, { metadata }: KubeObject): Result {
	const { group, resource } = storedDefinition(definition);
	const { name = '', uid } = metadata;
	return success(200, { name, ...(group && { group }), kind: resource, ...(uid && { uid }) });
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
