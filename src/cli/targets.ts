import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { resourceNamed, resourcesInCategory } from '../api/resources.ts';
import { CommandError } from './context.ts';

/** What the words after a verb name: resources, and objects of them where names are given. */
export interface Target {
	readonly definition: ResourceDefinition;
	/** Undefined: all of the resource. */
	readonly name: string | undefined;
}

/** Reads `jobs`, `job pi`, `job/pi pod/x`, `jobs,pods`, `all`. Throws a CommandError for what is unknown. */
export function parseTargets(words: readonly string[]): readonly Target[] {
	const [first, ...rest] = words;
	if (first === undefined) throw new CommandError('you must name a resource, as in: jobs, job/pi');
	if (words.some((word) => word.includes('/'))) return words.map(parsePair);
	const definitions = first.split(',').flatMap(definitionsOf);
	if (rest.length === 0) return definitions.map((definition) => ({ definition, name: undefined }));
	return definitions.flatMap((definition) => rest.map((name) => ({ definition, name })));
}

function parsePair(word: string): Target {
	const [type = '', name] = word.split('/');
	const [definition] = definitionsOf(type);
	if (!definition || !name) {
		throw new CommandError(
			'there is no need to specify a resource type as a separate argument when passing arguments in resource/name form',
		);
	}
	return { definition, name };
}

function definitionsOf(word: string): readonly ResourceDefinition[] {
	const category = resourcesInCategory(word);
	if (category.length > 0) return category;
	const definition = resourceNamed(word);
	if (!definition) throw new CommandError(`the server doesn't have a resource type "${word}"`);
	return [definition];
}

/** What to say where a list came out empty. */
export function nothingFound(targets: readonly Target[], namespace: string | undefined): string {
	const namespaced = targets.some(({ definition }) => definition.namespaced);
	if (namespace === undefined || !namespaced) return 'No resources found';
	return `No resources found in ${namespace} namespace.`;
}

/** `job.batch/`: what stands before a name. */
export function prefixOf({ singular, group }: ResourceDefinition): string {
	return `${group === '' ? singular : `${singular}.${group}`}/`;
}

/** `job.batch/pi`: how messages name an object. */
export function displayName(
	definition: ResourceDefinition,
	{ metadata }: Pick<KubeObject, 'metadata'>,
): string {
	return `${prefixOf(definition)}${metadata.name ?? `${metadata.generateName}...`}`;
}
