import { semanticEqual } from '../../meta/equality.ts';
import { FieldPath } from '../../meta/field.ts';
import type { DeletionRule, Strategy, SubresourceStrategy } from '../../meta/resource.ts';
import { validateMetaUpdate } from '../../meta/validate-meta.ts';
import { qosClassOf } from './quality-of-service.ts';
import type { Pod } from './schema.ts';
import { validatePod, validatePodUpdate } from './validation.ts';

/** What clients may set in a Pod, after upstream's podStrategy. */
export const podStrategy: Strategy<Pod> = {
	prepareForCreate: (pod) => ({
		...pod,
		metadata: { ...pod.metadata, generation: 1 },
		status: { phase: 'Pending', qosClass: qosClassOf(pod) },
	}),
	prepareForUpdate: (pod, old) => {
		const changed = pod.spec !== old.spec && !semanticEqual(pod.spec, old.spec);
		const generation = (old.metadata.generation ?? 0) + (changed ? 1 : 0);
		return {
			...pod,
			metadata: { ...pod.metadata, generation },
			spec: changed ? pod.spec : old.spec,
			status: old.status,
		};
	},
	validateCreate: validatePod,
	validateUpdate: validatePodUpdate,
	allowUnconditionalUpdate: true,
};

/** What the status subresource may change; owners and the spec are not among it. */
export const podStatusStrategy: SubresourceStrategy<Pod> = {
	prepareForUpdate: (pod, old) => {
		const { ownerReferences: _, ...metadata } = pod.metadata;
		const owners = old.metadata.ownerReferences;
		const { qosClass } = old.status;
		return {
			...pod,
			metadata: { ...metadata, ...(owners && { ownerReferences: owners }) },
			spec: old.spec,
			status: { ...pod.status, ...(qosClass && { qosClass }) },
		};
	},
	validateUpdate: (pod, old) => validateMetaUpdate(pod.metadata, old.metadata, new FieldPath('metadata')),
};

/** A Pod that no node runs, or that has ended, goes at once; another one has its time to end. */
export const podDeletion: DeletionRule<Pod> = {
	defaultPropagation: 'Background',
	gracePeriodSeconds: ({ spec, status }, requested) => {
		if (!spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed') return 0;
		const period = requested ?? spec.terminationGracePeriodSeconds ?? 30;
		return period < 0 ? 1 : period;
	},
};
