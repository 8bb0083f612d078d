import { withDisruption } from '../api/core/pod/disruption.ts';
import { isPod } from '../api/core/pod/is-pod.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { podStatusStrategy } from '../api/core/pod/strategy.ts';
import { badRequest, invalid } from '../api/meta/api-error.ts';
import type { DeleteOptions } from '../api/meta/delete-options.ts';
import { FieldPath } from '../api/meta/field.ts';
import { invalid as invalidField } from '../api/meta/field-errors.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { formatTime } from '../api/meta/time.ts';
import { type Eviction, evictionSchema } from '../api/policy/eviction/schema.ts';
import type { ServerContext } from './context.ts';
import { decodePosted, type PostedKind } from './decode-posted.ts';
import { checkPreconditions, deleteWith } from './delete.ts';
import { checkDeleteOptions, isDryRun } from './delete-options.ts';
import { replace } from './replace.ts';
import type { ResourceRequest } from './request.ts';
import { type Result, success } from './result.ts';
import { writeOptions } from './write-options.ts';

/**
 * POST to `pods/<name>/eviction`: how `kubectl drain` and others take a Pod off its node.
 *
 * There are no PodDisruptionBudgets here, so nothing ever stands against an eviction: no 429, and no
 * difference between Pods that a budget would protect and those (pending, ended, leaving) it would not.
 *
 * The Pod is first marked with the condition DisruptionTarget, then deleted as the DeleteOptions in the
 * Eviction say. The order is what a Job's pod failure policy relies upon: whoever sees the Pod going sees
 * why. Between the two anybody may write to the Pod; only a client that named a resourceVersion minds.
 */

const EVICTION: PostedKind<Eviction> = {
	kind: 'Eviction',
	apiVersions: ['policy/v1', 'policy/v1beta1'],
	schema: evictionSchema,
};

const DISRUPTION = { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };

/** Evicts the Pod. Throws BadRequest, NotFound, Invalid, or Conflict where a precondition does not hold. */
export async function evict(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const { dryRun, fieldValidation } = writeOptions(request.call.query, 'CreateOptions');
	const eviction = await decodePosted(request, EVICTION, fieldValidation);
	const options = deletionOf(request, eviction, dryRun);
	await deleteWith(server, request, isDryRun(options) ? options : await mark(server, request, options));
	return success(201);
}

/** How the Pod is to be deleted. A dry run that either the query or the Eviction asks for is one. */
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
	// Upstream finds out with the deletion, when the Pod has its mark already: a Job would then forgive
	// whatever the Pod does, though nobody disturbs it.
	checkDeleteOptions(options);
	return dryRun ? { ...options, dryRun: ['All'] } : options;
}

/** Marks the Pod; returns the options with the resourceVersion that the Pod has now, if they name one. */
async function mark(
	server: ServerContext,
	request: ResourceRequest,
	options: DeleteOptions,
): Promise<DeleteOptions> {
	const { revision } = await replace(server, request, {
		dryRun: false,
		strategy: { ...podStatusStrategy, allowUnconditionalUpdate: false },
		next: (pod) => disrupted(server, request, options, pod),
	});
	if (options.preconditions?.resourceVersion === undefined) return options;
	return { ...options, preconditions: { ...options.preconditions, resourceVersion: String(revision) } };
}

function disrupted(
	{ clock }: ServerContext,
	{ definition }: ResourceRequest,
	options: DeleteOptions,
	pod: KubeObject,
): KubeObject {
	if (!isPod(pod)) throw badRequest('only Pods can be evicted');
	checkPreconditions(definition, pod, options);
	const evicted: Pod = { ...pod, status: withDisruption(pod.status, DISRUPTION, formatTime(clock.now())) };
	return evicted;
}
