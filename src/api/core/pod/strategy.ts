import { firstByKey } from '../../../base/collections/first-by-key.ts';
import type { DeletionRule, Strategy, SubresourceStrategy } from '../../contract/resource-definition.ts';
import { SPEC } from '../../errors/field-path.ts';
import { withNextSpec } from '../../meta/generation.ts';
import { disabledFieldWarnings, withoutDisabledFields } from './disabled-fields.ts';
import { withOwnLabels } from './match-label-keys.ts';
import { isFinalPhase } from './phase.ts';
import { qosClassOf } from './quality-of-service.ts';
import type { Pod, PodCondition, PodStatus } from './schema.ts';
import { validatePod } from './validation/pod.ts';
import { validatePodStatusUpdate } from './validation/status.ts';
import { validatePodUpdate } from './validation/update.ts';
import { podWarnings } from './warnings.ts';

/**
 * How the API server prepares Pods for storage: which fields a create or update may set, and which validation
 * and warnings it gets. Upstream: `podStrategy` in pkg/registry/core/pod/strategy.go.
 */
export const podStrategy: Strategy<Pod> = {
	prepareForCreate: (pod) => ({
		...pod,
		metadata: { ...pod.metadata, generation: 1 },
		spec: withOwnLabels(withoutDisabledFields(pod.spec), pod.metadata.labels ?? {}),
		status: firstStatus(pod),
	}),
	// validatePodUpdate skips an equal spec by identity.
	prepareForUpdate: (pod, old) => withNextSpec(pod, old, withoutDisabledFields(pod.spec, old.spec)),
	validateCreate: validatePod,
	validateUpdate: validatePodUpdate,
	// Only a create gets warnings. Controllers write most updates, and would only repeat those of the creation.
	warnings: (pod, old) => (old ? [] : podWarnings(pod)),
	droppedFields: ({ spec }, old) => disabledFieldWarnings(spec, old?.spec, SPEC),
	allowUnconditionalUpdate: true,
};

/** The scheduler ignores gated Pods and so never sets this condition; the API server does, as upstream. */
const GATED: PodCondition = {
	type: 'PodScheduled',
	status: 'False',
	reason: 'SchedulingGated',
	message: 'Scheduling is blocked due to non-empty scheduling gates',
};

/** The status of a new Pod; the status that the client sent is dropped. */
function firstStatus(pod: Pod): PodStatus {
	const status: PodStatus = { phase: 'Pending', qosClass: qosClassOf(pod) };
	if (!pod.spec.schedulingGates?.length) return status;
	const { creationTimestamp } = pod.metadata;
	return {
		...status,
		conditions: [{ ...GATED, lastProbeTime: null, lastTransitionTime: creationTimestamp ?? null }],
	};
}

/**
 * Strategy of the status subresource: the spec and the owner references stay as stored, since the right to
 * write a status must not be enough to change what runs or to have the Pod garbage-collected. Upstream:
 * `podStatusStrategy`.
 */
export const podStatusStrategy: SubresourceStrategy<Pod> = {
	prepareForUpdate: (pod, old) => {
		const { ownerReferences: _, ...metadata } = pod.metadata;
		const owners = old.metadata.ownerReferences;
		return {
			...pod,
			metadata: { ...metadata, ...(owners && { ownerReferences: owners }) },
			spec: old.spec,
			status: keepingObservations(pod.status, old.status),
		};
	},
	validateUpdate: validatePodStatusUpdate,
};

/**
 * Keeps the QoS class and observed generations if the new status lacks them: older clients do not know them.
 */
function keepingObservations(status: PodStatus, old: PodStatus): PodStatus {
	const qosClass = status.qosClass ?? old.qosClass;
	const observedGeneration = status.observedGeneration || old.observedGeneration;
	const observed = firstByKey(old.conditions ?? [], ({ type }) => type);
	const conditions = status.conditions?.map((condition) => {
		if (condition.observedGeneration) return condition;
		const before = observed.get(condition.type)?.observedGeneration;
		return before ? { ...condition, observedGeneration: before } : condition;
	});
	return {
		...status,
		...(observedGeneration && { observedGeneration }),
		...(conditions && { conditions }),
		...(qosClass && { qosClass }),
	};
}

/**
 * Grace period of deletions (upstream: `CheckGracefulDelete`). A Pod that is not bound to a node or that has
 * finished is removed from the store at once; otherwise the node agent removes it after it has stopped the
 * containers. A negative period counts as 1 second.
 */
export const podDeletion: DeletionRule<Pod> = {
	defaultPropagation: 'Background',
	gracePeriodSeconds: ({ spec, status }, requested) => {
		if (!spec.nodeName || isFinalPhase(status.phase)) return 0;
		const period = requested ?? spec.terminationGracePeriodSeconds ?? 0;
		return period < 0 ? 1 : period;
	},
};
