/**
 * What a container of an engine is in terms of the contract, as JSON that the engine keeps with the container: all that a
 * later server needs to list it.
 */
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import type { SandboxMetadata } from '../../api/contract/sandbox-config.ts';
import { attempt } from '../../base/attempt.ts';
import { containerIdOf, metadataOf, sandboxIdOf } from '../ids.ts';
import { numberAt, stringAt, valueAt } from '../json-values.ts';

/** The name under which the engine keeps the text of the facts. */
export const FACTS_KEY = 'stint.io/container';

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
	/** Not every engine tells it. */
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

/** The facts as text. */
export function factsText(facts: LabelledFacts): string {
	const { sandbox, name, attempt: count, image, imageRef, logPath, stdinOnce } = facts;
	return JSON.stringify({ sandbox, name, attempt: count, image, imageRef, logPath, stdinOnce });
}

/** The facts in a text; undefined if it has none. */
export function readFacts(text: string): LabelledFacts | undefined {
	const kept: unknown = attempt(() => JSON.parse(text));
	const sandbox = valueAt(kept, 'sandbox');
	if (sandbox === undefined) return undefined;
	const textAt = (name: string): string => stringAt(kept, name);
	return factsOf(
		{
			name: textAt('name'),
			attempt: numberAt(kept, 'attempt'),
			image: textAt('image'),
			logPath: textAt('logPath'),
			stdinOnce: valueAt(kept, 'stdinOnce') === true,
		},
		readMetadata(sandbox),
		textAt('imageRef'),
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
