import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { resourceNamed, resources, resourcesInCategory } from '../../api/resources.ts';
import { CommandError } from '../context.ts';
import { nearest } from './did-you-mean.ts';

/** What an argument of a command names: a resource, or one object of it. */
export interface Target {
	readonly definition: ResourceDefinition;
	/** Name of the object; undefined for all objects of the resource. */
	readonly name: string | undefined;
}

/** An argument is not a resource type that stint serves; kubectl's message. */
export class UnknownTypeError extends CommandError {
	override readonly name = 'UnknownTypeError';
	/** The message without "did you mean". */
	readonly plain: string;

	constructor(word: string, nearestType: string | undefined) {
		const plain = `the server doesn't have a resource type "${word}"`;
		super(nearestType === undefined ? plain : `${plain} (did you mean "${nearestType}"?)`);
		this.plain = plain;
	}
}

/**
 * Parses the arguments of a command: `jobs`, `job pi`, `job/pi pod/x`, `jobs,pods`, `all`. Throws a
 * CommandError; for an unknown type an UnknownTypeError. The messages about the arguments are kubectl's.
 */
export function parseTargets(words: readonly string[]): readonly Target[] {
	const [first, ...rest] = words;
	if (first === undefined)
		throw new CommandError('specify a resource, such as jobs, or an object, such as job/pi');
	if (words.every((word) => word.includes('/'))) return words.map(parsePair);
	if (words.some((word) => word.includes('/')))
		throw new CommandError(
			'there is no need to specify a resource type as a separate argument when passing arguments in resource/name form',
		);
	const definitions = first.split(',').flatMap(definitionsOf);
	if (rest.length === 0) return definitions.map((definition) => ({ definition, name: undefined }));
	return definitions.flatMap((definition) => rest.map((name) => ({ definition, name })));
}

/** Parses `job/pi`. */
function parsePair(word: string): Target {
	const [type = '', name = '', ...more] = word.split('/');
	if (type === '' || name === '' || more.length > 0)
		throw new CommandError('arguments in resource/name form must have a single resource and name');
	const [definition, ...others] = definitionsOf(type);
	if (!definition || others.length > 0)
		throw new CommandError('arguments in resource/name form may not have more than one resource');
	return { definition, name };
}

/** The resources of a category (`all`), or of a resource's plural, singular or short name. */
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

/** kubectl's text for an empty list. */
export function nothingFound(targets: readonly Target[], namespace: string | undefined): string {
	const namespaced = targets.some(({ definition }) => definition.namespaced);
	if (namespace === undefined || !namespaced) return 'No resources found';
	return `No resources found in ${namespace} namespace.`;
}

/** The resource part of {@link displayName}: `job.batch/`. */
export function prefixOf({ singular, group }: ResourceDefinition): string {
	return `${group === '' ? singular : `${singular}.${group}`}/`;
}

/** The name of an object in messages, as kubectl prints it: `job.batch/pi`. */
export function displayName(
	definition: ResourceDefinition,
	{ metadata }: Pick<KubeObject, 'metadata'>,
): string {
	return `${prefixOf(definition)}${metadata.name ?? `${metadata.generateName}...`}`;
}
