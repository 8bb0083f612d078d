/**
 * The labels of stint's containers. They hold all that a later server needs to list a container, and tell the containers of
 * one server from those of others: the server's own label is checked before anything is done to a container.
 */
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import { FACTS_KEY, factsText, type LabelledFacts, readFacts } from '../../engines/container-facts.ts';
import { FOLDER_LABEL, OWNER_LABEL, type Owner } from '../../engines/owner.ts';
import { stringAt } from '../../json-values.ts';

/** The labels: those of the Pod, those that dockershim gave containers, and stint's own. */
export function labelsOf(
	{ labels, annotations }: Pick<ContainerConfig, 'labels' | 'annotations'>,
	facts: LabelledFacts,
	owner: Owner,
): Readonly<Record<string, string>> {
	const { sandbox, name, logPath, sandboxId } = facts;
	const noted = Object.entries(annotations).map(([key, value]) => [`annotation.${key}`, value]);
	return {
		...labels,
		...Object.fromEntries(noted),
		'io.kubernetes.docker.type': 'container',
		'io.kubernetes.sandbox.id': sandboxId,
		'io.kubernetes.container.logpath': logPath,
		'io.kubernetes.container.name': name,
		'io.kubernetes.pod.name': sandbox.podName,
		'io.kubernetes.pod.namespace': sandbox.podNamespace,
		'io.kubernetes.pod.uid': sandbox.podUid,
		[OWNER_LABEL]: owner.id,
		[FOLDER_LABEL]: owner.folder,
		[FACTS_KEY]: factsText(facts),
	};
}

/** The facts in the labels of a container; undefined if it is not one of this server. */
export function readLabels(labels: unknown, owner: Owner): LabelledFacts | undefined {
	return stringAt(labels, OWNER_LABEL) === owner.id ? readFacts(stringAt(labels, FACTS_KEY)) : undefined;
}

/**
 * The engine's name of a container: dockershim's, with the attempt of the sandbox and the server at its end. It is the same
 * for each call that creates the container, so that the engine refuses a second one.
 */
export function engineContainerName({ sandbox, name, attempt: count }: LabelledFacts, owner: Owner): string {
	const { podName, podNamespace, podUid, attempt: sandboxAttempt } = sandbox;
	const parts = [name, podName, podNamespace, podUid, String(count), `${sandboxAttempt}-${owner.id}`];
	return `k8s_${parts.map((part) => part.replaceAll(/[^A-Za-z0-9.-]/g, '-')).join('_')}`;
}
