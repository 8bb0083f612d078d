/**
 * The part of an eviction that PodDisruptionBudgets decide. plan/disruption/eviction-budget.ts has the rules;
 * this file takes the disruption from the budget in its status, so that two evictions cannot use the same one.
 */

import { isOfKind } from '../../api/contract/resource-definition.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError, badRequest, forbidden, tooManyRequests, withCause } from '../../api/errors/api-error.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import { podDisruptionBudgets } from '../../api/policy/poddisruptionbudget/definition.ts';
import type { PodDisruptionBudget } from '../../api/policy/poddisruptionbudget/schema.ts';
import { assert } from '../../base/assert.ts';
import {
	type Allowance,
	ignoresBudgets,
	isFreeToEvict,
	stillProcessing,
	takeDisruption,
} from '../../plan/disruption/eviction-budget.ts';
import { isCovered } from '../../plan/disruption/plan-disruption.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { cachedObjects } from '../storage/cached-objects.ts';
import { existing } from '../verbs/get.ts';
import { updateObject } from '../verbs/update-object.ts';
import type { WriteOptions } from '../verbs/write-options.ts';

/** How an eviction was granted, and the options of the deletion. */
export type Grant = { readonly deletion: DeleteOptions } & (
	| { readonly kind: 'granted' }
	/** The Pod is pending: the deletion must be repeated if the Pod changes, because it may have started. */
	| { readonly kind: 'pending' }
	/** The Pod is not ready, so that the budget does not matter: the deletion fails if the Pod changes. */
	| { readonly kind: 'unready'; readonly budgetName: string }
);

/** Grants the eviction of the Pod that the request names. Throws 429 or Forbidden if its budget does not. */
export async function grantEviction(
	server: ServerContext,
	request: ResourceRequest,
	{ deletion, options }: { readonly deletion: DeleteOptions; readonly options: WriteOptions },
): Promise<Grant> {
	const pod = existing(request).object;
	if (!isPod(pod)) throw badRequest('only Pods can be evicted');
	if (ignoresBudgets(pod)) {
		const isPending = !pod.metadata.deletionTimestamp && (pod.status.phase ?? 'Pending') === 'Pending';
		return isPending
			? { kind: 'pending', deletion: ofVersion(deletion, pod) }
			: { kind: 'granted', deletion };
	}
	const [budget, ...others] = budgetsOf(server, pod);
	if (others.length > 0) throw severalBudgets();
	if (!budget) return { kind: 'granted', deletion };
	const { name = '' } = budget.metadata;
	if (isFreeToEvict(pod, budget)) {
		return { kind: 'unready', budgetName: name, deletion: ofVersion(deletion, pod, true) };
	}
	await take(server, request, { budgetName: name, options });
	return { kind: 'granted', deletion };
}

/** The deletion of this version of the Pod only, unless the client has chosen the version and `always` is not set. */
function ofVersion(deletion: DeleteOptions, { metadata }: Pod, always = false): DeleteOptions {
	const { preconditions } = deletion;
	const { resourceVersion } = metadata;
	if (resourceVersion === undefined || (preconditions?.resourceVersion !== undefined && !always))
		return deletion;
	return { ...deletion, preconditions: { ...preconditions, resourceVersion } };
}

function budgetsOf({ cache }: ServerContext, pod: Pod): readonly PodDisruptionBudget[] {
	return cachedObjects(cache, podDisruptionBudgets).filter((budget) => isCovered(pod, budget));
}

/** Writes the disruption into the status of the budget. Throws if the budget does not allow it. */
async function take(
	server: ServerContext,
	request: ResourceRequest,
	{ budgetName, options }: { readonly budgetName: string; readonly options: WriteOptions },
): Promise<void> {
	const definition = podDisruptionBudgets;
	const resource = server.cache.of(definition.group, definition.resource);
	const { status: strategy } = definition;
	assert(resource !== undefined && strategy !== undefined, 'PodDisruptionBudgets are served');
	const target = { ...request, resource, definition, name: budgetName, subresource: 'status' };
	await updateObject(server, target, {
		options,
		isAdmitted: true,
		strategy: {
			prepareForUpdate: (object) => object,
			validateUpdate: () => [],
			allowUnconditionalUpdate: false,
		},
		next: (budget) => {
			assert(isOfKind(budget, definition), 'the cache of PodDisruptionBudgets holds nothing else');
			const allowance = takeDisruption(budget, request.name, server.clock.now());
			if (allowance.kind !== 'grant') throw refusal(budgetName, allowance);
			const next: PodDisruptionBudget = { ...budget, status: allowance.status };
			return next;
		},
	});
}

const VIOLATION = "Cannot evict pod as it would violate the pod's disruption budget.";
const CAUSE = 'DisruptionBudget';

function refusal(name: string, allowance: Exclude<Allowance, { kind: 'grant' }>): ApiError {
	const { cause: message } = allowance;
	const error =
		allowance.kind === 'forbid'
			? forbidden({ group: 'policy', resource: 'poddisruptionbudget', name }, allowance.reason)
			: tooManyRequests(VIOLATION, allowance.retryAfterSeconds);
	return withCause(error, { reason: CAUSE, message });
}

/** 429: the Pod has changed since the budget was asked. */
export function budgetConflict(budgetName: string): ApiError {
	return refusal(budgetName, stillProcessing(budgetName));
}

/** Upstream's answer, a Status of code 500 without a reason. */
function severalBudgets(): ApiError {
	const message =
		'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
	return new ApiError({
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		message,
		code: 500,
	});
}
