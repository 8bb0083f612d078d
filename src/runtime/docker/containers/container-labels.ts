/**
 * The labels of stint's containers. They hold all that a later server needs to list a container, and tell the containers of
 * one server from those of others: the server's own label is checked before anything is done to a container.
 */
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import type { SandboxMetadata } from '../../../api/contract/sandbox-config.ts';
import { attempt } from '../../../base/attempt.ts';
import { containerIdOf, metadataOf, sandboxIdOf } from '../../ids.ts';
import { numberAt, stringAt, valueAt } from '../engine/engine-values.ts';

/** The label with the identity of the server; see owner.ts. */
export const OWNER_LABEL = 'stint.io/server';
const FOLDER_LABEL = 'stint.io/data-folder';
const FACTS_LABEL = 'stint.io/container';

/** The server that owns containers. */
export interface Owner {
	readonly id: string;
	/** The path of its folder, for people who look at the labels. */
	readonly folder: string;
}

/** What a container is in terms of the contract. */
export interface LabelledFacts {
	readonly id: string;
	readonly sandboxId: string;
	readonly sandbox: SandboxMetadata;
	readonly name: string;
	readonly attempt: number;
	readonly image: string;
	readonly imageRef: string;
	readonly logPath: string;
	/** Podman does not tell it. */
	readonly stdinOnce: boolean;
}

/** The facts about a container before its creation. */
export function factsOf(
	config: Pick<ContainerConfig, 'name' | 'attempt' | 'image' | 'logPath' | 'stdinOnce'>,
	sandbox: SandboxMetadata,
	imageRef: string,
): LabelledFacts {
	const { name, attempt: count, image, logPath, stdinOnce } = config;
	const sandboxId = sandboxIdOf(sandbox);
	const id = containerIdOf(sandboxId, config);
	return {
		id,
		sandboxId,
		sandbox: metadataOf(sandbox),
		name,
		attempt: count,
		image,
		imageRef,
		logPath,
		stdinOnce,
	};
}

/** The labels: those of the Pod, those that dockershim gave containers, and stint's own. */
export function labelsOf(
	{ labels, annotations }: Pick<ContainerConfig, 'labels' | 'annotations'>,
	facts: LabelledFacts,
	owner: Owner,
): Readonly<Record<string, string>> {
	const { sandbox, name, attempt: count, image, imageRef, logPath, sandboxId, stdinOnce } = facts;
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
		[FACTS_LABEL]: JSON.stringify({ sandbox, name, attempt: count, image, imageRef, logPath, stdinOnce }),
	};
}

/** The facts in the labels of a container; undefined if it is not one of this server. */
export function readLabels(labels: unknown, owner: Owner): LabelledFacts | undefined {
	if (stringAt(labels, OWNER_LABEL) !== owner.id) return undefined;
	const kept: unknown = attempt(() => JSON.parse(stringAt(labels, FACTS_LABEL)));
	const sandbox = valueAt(kept, 'sandbox');
	if (sandbox === undefined) return undefined;
	const text = (name: string): string => stringAt(kept, name);
	return factsOf(
		{
			name: text('name'),
			attempt: numberAt(kept, 'attempt'),
			image: text('image'),
			logPath: text('logPath'),
			stdinOnce: valueAt(kept, 'stdinOnce') === true,
		},
		readMetadata(sandbox),
		text('imageRef'),
	);
}

/** The metadata of a sandbox, as JSON has it. */
export function readMetadata(value: unknown): SandboxMetadata {
	return {
		podUid: stringAt(value, 'podUid'),
		podName: stringAt(value, 'podName'),
		podNamespace: stringAt(value, 'podNamespace'),
		hostname: stringAt(value, 'hostname'),
		attempt: numberAt(value, 'attempt'),
	};
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
