/** The lines of Deployments, ReplicaSets and ReplicationControllers, as kubectl prints them (describe.go). */

import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import type { Pod, PodTemplateSpec } from '../../api/core/pod/schema.ts';
import type { ReplicationController } from '../../api/core/replicationcontroller/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { byCreation, findNewSet } from '../../plan/deployment/replica-sets.ts';
import { annotationLines, at, instant, labelLines } from './lines.ts';
import { controllerLine, templateLines } from './pod.ts';

/** The lines of a Deployment with its ReplicaSets. */
export function deploymentLines(deployment: Deployment, sets: readonly ReplicaSet[]): readonly string[] {
	const { metadata, spec, status } = deployment;
	const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status;
	const { type = '', rollingUpdate } = spec.strategy ?? {};
	const owned = sets.filter((set) => controllerOf(set)?.uid === metadata.uid).sort(byCreation);
	const newSet = findNewSet(deployment, owned);
	const oldSets = owned.filter((set) => set !== newSet);
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		`CreationTimestamp:\t${instant(metadata.creationTimestamp)}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		`Selector:\t${labelSelectorText(spec.selector)}`,
		`Replicas:\t${spec.replicas} desired | ${updatedReplicas} updated | ${replicas} total | ${availableReplicas} available | ${unavailableReplicas} unavailable`,
		`StrategyType:\t${type}`,
		`MinReadySeconds:\t${spec.minReadySeconds ?? 0}`,
		...(rollingUpdate
			? [
					`RollingUpdateStrategy:\t${rollingUpdate.maxUnavailable} max unavailable, ${rollingUpdate.maxSurge} max surge`,
				]
			: []),
		...templateLines(spec.template),
		...conditionLines(status.conditions),
		`OldReplicaSets:\t${oldSets.map(setText).join(', ') || '<none>'}`,
		`NewReplicaSet:\t${newSet ? setText(newSet) : '<none>'}`,
	];
}

function setText({ metadata, spec, status }: ReplicaSet): string {
	return `${metadata.name} (${status.replicas}/${spec.replicas} replicas created)`;
}

/** The lines of a ReplicaSet with its Pods. */
export function replicaSetLines(set: ReplicaSet, pods: readonly Pod[]): readonly string[] {
	return replicaLines(set, pods, {
		selector: labelSelectorText(set.spec.selector),
		template: set.spec.template,
	});
}

/** The lines of a ReplicationController with its Pods. */
export function replicationControllerLines(
	controller: ReplicationController,
	pods: readonly Pod[],
): readonly string[] {
	const { selector = {}, template } = controller.spec;
	return replicaLines(controller, pods, { selector: labelSelectorText({ matchLabels: selector }), template });
}

function replicaLines(
	{ metadata, spec, status }: ReplicaSet | ReplicationController,
	pods: readonly Pod[],
	{ selector, template }: { readonly selector: string; readonly template: PodTemplateSpec | undefined },
): readonly string[] {
	const own = pods.filter((pod) => controllerOf(pod)?.uid === metadata.uid);
	const count = (phase: Pod['status']['phase']): number =>
		own.filter((pod) => pod.status.phase === phase).length;
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		`Selector:\t${selector}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		...controllerLine(metadata),
		`Replicas:\t${status.replicas} current / ${spec.replicas} desired`,
		`Pods Status:\t${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`,
		...(template ? templateLines(template) : []),
		...conditionLines(status.conditions),
	];
}

interface ShownCondition {
	readonly type: string;
	readonly status: string;
	readonly reason?: string;
}

function conditionLines(conditions: readonly ShownCondition[] = []): readonly string[] {
	if (conditions.length === 0) return [];
	return [
		'Conditions:',
		at(1, 'Type\tStatus\tReason'),
		at(1, '----\t------\t------'),
		...conditions.map(({ type, status, reason = '' }) => at(1, `${type} \t${status}\t${reason}`)),
	];
}
