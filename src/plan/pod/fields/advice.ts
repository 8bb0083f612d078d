import type { Deployment } from '../../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../../api/apps/replicaset/schema.ts';
import type { CronJob } from '../../../api/batch/cronjob/schema.ts';
import type { Job } from '../../../api/batch/job/schema.ts';
import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import { isPod } from '../../../api/core/pod/is-pod.ts';
import type { Pod, PodTemplateSpec } from '../../../api/core/pod/schema.ts';
import type { ReplicationController } from '../../../api/core/replicationcontroller/schema.ts';
import { controllerOf } from '../../../api/meta/controller-reference.ts';
import type { KubeObject } from '../../../api/meta/object-meta.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import type { Effect } from './field-rule.ts';
import { findingsOf } from './field-rules.ts';

/**
 * The consequences that a Warning reports to the author of an object, the worst first. Dropped fields are
 * missing here: every write warns about those, on all runtimes; see `droppedFields` of a resource's strategy.
 */
const CONSEQUENCES: readonly (readonly [Effect, string])[] = [
	['rejected', 'its Pods will fail'],
	['unscheduled', 'its Pods will not be scheduled'],
	['unmounted', 'no container that mounts it will start'],
	['held', 'the container will not start'],
	['warned', 'it will not be honoured'],
];

/**
 * The texts of Warning headers for a new Pod or workload (a Job or a Deployment, for example) with fields that this
 * runtime does not support: one text for each row of the table, with the path of the first field that it concerns.
 */
export function adviceOn(object: KubeObject, traits: RuntimeTraits): readonly string[] {
	const described = describedPod(object);
	if (!described) return [];
	const { prefix } = described;
	const pod = withFewContainers(described.pod);
	return CONSEQUENCES.flatMap(([effect, consequence]) => {
		const byRule = Map.groupBy(findingsOf(pod, effect, traits), ({ rule }) => rule);
		return [...byRule].map(([{ because, instead = '' }, places]) => {
			const more = places.length > 1 ? ` (and ${places.length - 1} more)` : '';
			return `${prefix}${places[0]?.path}${more}: ${consequence}: ${because}: ${instead}`;
		});
	});
}

/**
 * Like {@link adviceOn}, for a workload that replaces `old`: empty if the Pod template has not changed.
 * Also empty for Pods, whose author is warned at the creation: controllers and the scheduler make the later
 * changes.
 */
export function adviceOnChange(
	object: KubeObject,
	old: KubeObject,
	traits: RuntimeTraits,
): readonly string[] {
	if (isPod(object)) return [];
	const [now, before] = [describedPod(object)?.pod, describedPod(old)?.pod];
	const isSame = semanticEqual(now?.spec, before?.spec) && semanticEqual(now?.metadata, before?.metadata);
	return isSame ? [] : adviceOn(object, traits);
}

/** Maximum number of containers that are checked, to limit the time of a request with thousands of them. */
const MOST_CHECKED = 100;

function withFewContainers(pod: Pod): Pod {
	const { containers, initContainers = [] } = pod.spec;
	if (containers.length + initContainers.length <= MOST_CHECKED) return pod;
	const few = {
		containers: containers.slice(0, MOST_CHECKED),
		initContainers: initContainers.slice(0, MOST_CHECKED),
	};
	return { ...pod, spec: { ...pod.spec, ...few } };
}

/** The Pod to warn about. Undefined for objects of a controller: the author of its template was warned already. */
function describedPod(object: KubeObject): DescribedPod | undefined {
	return controllerOf(object) ? undefined : podIn(object);
}

/** A Pod, or the template of Pods in another object. */
export interface DescribedPod {
	readonly pod: Pod;
	/** What precedes `spec` in the paths of its fields. */
	readonly prefix: string;
}

/** The Pod that the object is or contains; undefined if there is none. */
export function podIn(object: KubeObject): DescribedPod | undefined {
	if (isPod(object)) return { pod: object, prefix: '' };
	if (isCronJob(object))
		return { pod: podOf(object.spec.jobTemplate.spec.template), prefix: 'spec.jobTemplate.spec.template.' };
	const template = isWorkload(object) ? object.spec.template : undefined;
	return template && { pod: podOf(template), prefix: 'spec.template.' };
}

function podOf({ metadata = {}, spec }: PodTemplateSpec): Pod {
	return { apiVersion: 'v1', kind: 'Pod', metadata, spec, status: {} };
}

/** The kinds whose Pod template is at `spec.template`. */
type Workload = Job | Deployment | ReplicaSet | ReplicationController;

const WORKLOADS = ['batch/v1 Job', 'apps/v1 Deployment', 'apps/v1 ReplicaSet', 'v1 ReplicationController'];

function isWorkload(object: KubeObject): object is Workload {
	return WORKLOADS.includes(`${object.apiVersion} ${object.kind}`);
}

function isCronJob(object: KubeObject): object is CronJob {
	return object.apiVersion === 'batch/v1' && object.kind === 'CronJob';
}
