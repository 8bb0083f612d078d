import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { resourceNamed, resources, resourcesInCategory } from '../api/resources.ts';
import { CommandError } from './context.ts';
import { nearest } from './nearest.ts';

/** What the words after a verb name: resources, and objects of them where names are given. */
export interface Target {
	readonly definition: ResourceDefinition;
	/** Undefined: all of the resource. */
	readonly name: string | undefined;
}

/** A word stands where the type of a resource should, and names none. */
export class UnknownTypeError extends CommandError {
	override readonly name = 'UnknownTypeError';
	/** The message without the nearest type. */
	readonly plain: string;

	constructor(word: string, nearestType: string | undefined) {
		const plain = `the server doesn't have a resource type "${word}"`;
		super(nearestType === undefined ? plain : `${plain} (did you mean "${nearestType}"?)`);
		this.plain = plain;
	}
}

/** Reads `jobs`, `job pi`, `job/pi pod/x`, `jobs,pods`, `all`. Throws a CommandError, for an unknown type an UnknownTypeError. */
export function parseTargets(words: readonly string[]): readonly Target[] {
	const [first, ...rest] = words;
	if (first === undefined)
		throw new CommandError(`you must say what: a resource as in: jobs, or an object as in: job/pi`);
	if (words.every((word) => word.includes('/'))) return words.map(parsePair);
	if (words.some((word) => word.includes('/')))
		throw new CommandError(
			'there is no need to specify a resource type as a separate argument when passing arguments in resource/name form',
		);
	const definitions = first.split(',').flatMap(definitionsOf);
	if (rest.length === 0) return definitions.map((definition) => ({ definition, name: undefined }));
	return definitions.flatMap((definition) => rest.map((name) => ({ definition, name })));
}

function parsePair(word: string): Target {
	const [type = '', name = '', ...more] = word.split('/');
	if (type === '' || name === '' || more.length > 0)
		throw new CommandError('arguments in resource/name form must have a single resource and name');
	const [definition, ...others] = definitionsOf(type);
	if (!definition || others.length > 0)
		throw new CommandError('arguments in resource/name form may not have more than one resource');
	return { definition, name };
}

function definitionsOf(word: string): readonly ResourceDefinition[] {
	const category = resourcesInCategory(word);
	if (category.length > 0) return category;
	const definition = resourceNamed(word);
	if (definition) return [definition];
	const near = nearest(
		word,
		resources.flatMap(({ resource, singular, shortNames }) => [resource, singular, ...shortNames]),
	);
	throw new UnknownTypeError(word, near);
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
