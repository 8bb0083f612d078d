/**
 * POST to `pods/<name>/eviction`: the API-initiated eviction, with which `kubectl drain` and others remove a
 * Pod from its node.
 *
 * A PodDisruptionBudget that covers a running Pod must grant the eviction: see disruption-budget.ts.
 *
 * The server first sets the condition DisruptionTarget on the Pod, then deletes it as the DeleteOptions in
 * the Eviction say. Pod failure policies depend on this order: a controller that sees the Pod terminating can
 * already see why. Other clients may write to the Pod between the two steps; this causes a Conflict only if
 * the Eviction names a resourceVersion.
 */

import { withDisruption } from '../../api/core/pod/disruption.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { podStatusStrategy } from '../../api/core/pod/strategy.ts';
import { badRequest, invalid, isApiError } from '../../api/errors/api-error.ts';
import { fieldInvalid as invalidField } from '../../api/errors/field-errors.ts';
import { FieldPath } from '../../api/errors/field-path.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import { type Eviction, evictionSchema } from '../../api/policy/eviction/schema.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, success } from '../result.ts';
import { checkPreconditions, deleteWith } from '../verbs/delete.ts';
import { checkDeleteOptions, isDryRun } from '../verbs/delete-options.ts';
import { updateObject } from '../verbs/update-object.ts';
import { type WriteOptions, writeOptions } from '../verbs/write-options.ts';
import { admitPosted, decodePosted, type PostedKind } from './decode-create.ts';
import { budgetConflict, grantEviction } from './disruption-budget.ts';

const EVICTION: PostedKind<Eviction> = {
	kind: 'Eviction',
	apiVersions: ['policy/v1', 'policy/v1beta1'],
	schema: evictionSchema,
};

const DISRUPTION = { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };

/** Evicts the Pod. Throws BadRequest, NotFound, Invalid, or Conflict where a precondition does not hold. */
export async function evict(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const decoded = await decodePosted(request, EVICTION, options.fieldValidation);
	const eviction = await admitPosted(server, request, { posted: decoded, kind: EVICTION, options });
	const deletion = deletionOf(request, eviction, options.dryRun);
	const isPinned = deletion.preconditions?.resourceVersion !== undefined;
	for (let attempt = 1; ; attempt++) {
		const granted = await grantEviction(server, request, { deletion, options });
		try {
			const { deletion: given } = granted;
			const marked = isDryRun(given) ? given : await mark(server, request, { deletion: given, options });
			await deleteWith(server, request, { options: marked, isAdmitted: true });
			return success(201);
		} catch (error) {
			if (isPinned || !isApiError(error, 'Conflict')) throw error;
			if (granted.kind === 'unready') throw budgetConflict(granted.budgetName);
			if (granted.kind !== 'pending' || attempt >= MOST_ATTEMPTS) throw error;
		}
	}
}

/** Number of attempts to evict a pending Pod that other clients write to (upstream: EvictionsRetry). */
const MOST_ATTEMPTS = 20;

/** The options of the deletion. It is a dry run if the query or the Eviction asks for one. */
function deletionOf({ name }: ResourceRequest, eviction: Eviction, dryRun: boolean): DeleteOptions {
	if (eviction.metadata.name !== name) {
		throw badRequest('name in URL does not match name in Eviction object');
	}
	const options = eviction.deleteOptions ?? {};
	if (options.ignoreStoreReadErrorWithClusterBreakingPotential) {
		const path = new FieldPath('deleteOptions').child('ignoreStoreReadErrorWithClusterBreakingPotential');
		const detail = 'can not be set for pod eviction, try after removing the option';
		throw invalid({ group: 'policy', resource: 'Eviction', name }, [invalidField(path, true, detail)]);
	}
	// Upstream checks these options with the deletion, after it has set the condition. The Pod would then keep
	// DisruptionTarget without being deleted, and a pod failure policy would ignore a later failure of the Pod.
	checkDeleteOptions(options);
	return dryRun ? { ...options, dryRun: ['All'] } : options;
}

/**
 * Sets the condition DisruptionTarget. Returns the options of the deletion; if they have a resourceVersion, it is replaced by
 * the one that the Pod has now.
 */
async function mark(
	server: ServerContext,
	request: ResourceRequest,
	{ deletion, options }: { readonly deletion: DeleteOptions; readonly options: WriteOptions },
): Promise<DeleteOptions> {
	const { revision } = await updateObject(server, request, {
		options,
		isAdmitted: true,
		strategy: { ...podStatusStrategy, allowUnconditionalUpdate: false },
		next: (pod) => disrupted(server, request, { options: deletion, pod }),
	});
	if (deletion.preconditions?.resourceVersion === undefined) return deletion;
	return { ...deletion, preconditions: { ...deletion.preconditions, resourceVersion: String(revision) } };
}

function disrupted(
	{ clock }: ServerContext,
	{ definition }: ResourceRequest,
	{ options, pod }: { readonly options: DeleteOptions; readonly pod: KubeObject },
): KubeObject {
	if (!isPod(pod)) throw badRequest('only Pods can be evicted');
	checkPreconditions(definition, pod, options);
	const evicted: Pod = { ...pod, status: withDisruption(pod.status, DISRUPTION, formatTime(clock.now())) };
	return evicted;
}
