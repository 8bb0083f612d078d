import { firstByKey } from '../../../base/first-by-key.ts';
import { semanticEqual } from '../../meta/equality.ts';
import { FieldPath } from '../../meta/field.ts';
import { generationAfter } from '../../meta/generation.ts';
import type { DeletionRule, Strategy, SubresourceStrategy } from '../../meta/resource.ts';
import { disabledFieldWarnings, withoutDisabledFields } from './disabled-fields.ts';
import { withOwnLabels } from './match-label-keys.ts';
import { qosClassOf } from './quality-of-service.ts';
import type { Pod, PodCondition, PodStatus } from './schema.ts';
import { validatePodStatusUpdate } from './status-validation.ts';
import { validatePodUpdate } from './update-validation.ts';
import { validatePod } from './validation.ts';
import { podWarnings } from './warnings.ts';

/** What clients may set in a Pod, after upstream's podStrategy. */
export const podStrategy: Strategy<Pod> = {
	prepareForCreate: (pod) => ({
		...pod,
		metadata: { ...pod.metadata, generation: 1 },
		spec: withOwnLabels(withoutDisabledFields(pod.spec), pod.metadata.labels ?? {}),
		status: firstStatus(pod),
	}),
	prepareForUpdate: (pod, old) => {
		const spec = withoutDisabledFields(pod.spec, old.spec);
		const changed = spec !== old.spec && !semanticEqual(spec, old.spec);
		const generation = generationAfter(old.metadata, changed);
		return {
			...pod,
			metadata: { ...pod.metadata, generation },
			spec: changed ? spec : old.spec,
			status: old.status,
		};
	},
	validateCreate: validatePod,
	validateUpdate: validatePodUpdate,
	// Updates come from programs; what they would be warned of was said at the creation.
	warnings: (pod, old) => (old ? [] : podWarnings(pod)),
	droppedFields: ({ spec }, old) => disabledFieldWarnings(spec, old?.spec, new FieldPath('spec')),
	allowUnconditionalUpdate: true,
};

const GATED: PodCondition = {
	type: 'PodScheduled',
	status: 'False',
	reason: 'SchedulingGated',
	message: 'Scheduling is blocked due to non-empty scheduling gates',
};

function firstStatus(pod: Pod): PodStatus {
	const status: PodStatus = { phase: 'Pending', qosClass: qosClassOf(pod) };
	if (!pod.spec.schedulingGates?.length) return status;
	const { creationTimestamp } = pod.metadata;
	return {
		...status,
		conditions: [{ ...GATED, lastProbeTime: null, lastTransitionTime: creationTimestamp ?? null }],
	};
}

/** What the status subresource may change; owners and the spec are not among it. */
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

/** A writer that knows nothing of the QoS class or of observed generations leaves them as they were. */
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

/** A Pod that no node runs, or that has ended, goes at once; another one has its time to end. */
export const podDeletion: DeletionRule<Pod> = {
	defaultPropagation: 'Background',
	gracePeriodSeconds: ({ spec, status }, requested) => {
		if (!spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed') return 0;
		const period = requested ?? spec.terminationGracePeriodSeconds ?? 0;
		return period < 0 ? 1 : period;
	},
};
