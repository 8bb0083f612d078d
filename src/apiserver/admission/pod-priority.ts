import type { Pod } from '../../api/core/pod/schema.ts';
import { forbidden } from '../../api/meta/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { isPod } from '../pods.ts';
import type { ResourceRequest } from '../request.ts';
import { subjectOf } from '../write.ts';
import type { AdmissionPlugin } from './admission.ts';

/** The classes that exist without anybody making them. */
const SYSTEM_CLASSES: ReadonlyMap<string, number> = new Map([
	['system-cluster-critical', 2_000_000_000],
	['system-node-critical', 2_000_001_000],
]);

/** Pods get the priority of their class, 0 without one, and keep it (upstream: Priority). */
export class PodPriority implements AdmissionPlugin {
	create(request: ResourceRequest, object: KubeObject): KubeObject {
		if (!isPod(object)) return object;
		const priority = priorityOf(request, object);
		const { preemptionPolicy = 'PreemptLowerPriority' } = object.spec;
		const changed: Pod = { ...object, spec: { ...object.spec, priority, preemptionPolicy } };
		return changed;
	}

	/** No update can change it; leaving it out means keeping it. */
	update({ subresource }: ResourceRequest, object: KubeObject, old: KubeObject): KubeObject {
		if (subresource !== '' || !isPod(object) || !isPod(old)) return object;
		const { priority = old.spec.priority, preemptionPolicy = old.spec.preemptionPolicy } = object.spec;
		if (priority === object.spec.priority && preemptionPolicy === object.spec.preemptionPolicy) return object;
		const changed: Pod = {
			...object,
			spec: {
				...object.spec,
				...(priority !== undefined && { priority }),
				...(preemptionPolicy !== undefined && { preemptionPolicy }),
			},
		};
		return changed;
	}
}

function priorityOf({ definition }: ResourceRequest, { metadata, spec }: Pod): number {
	const { priorityClassName = '', priority } = spec;
	const subject = subjectOf(definition, metadata.name || metadata.generateName || 'Unknown');
	const computed = priorityClassName === '' ? 0 : SYSTEM_CLASSES.get(priorityClassName);
	if (computed === undefined) {
		throw forbidden(subject, `no PriorityClass with name ${priorityClassName} was found`);
	}
	if (priority !== undefined && priority !== computed) {
		throw forbidden(
			subject,
			`the integer value of priority (${priority}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`,
		);
	}
	return computed;
}
