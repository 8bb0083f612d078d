import { cronjobs } from './batch/cronjob/definition.ts';
import { jobs } from './batch/job/definition.ts';
import { leases } from './coordination/lease/definition.ts';
import { events } from './core/event/definition.ts';
import { namespaces } from './core/namespace/definition.ts';
import { nodes } from './core/node/definition.ts';
import { pods } from './core/pod/definition.ts';
import { apiVersionOf, type ResourceDefinition } from './meta/resource.ts';
import { priorityClasses } from './scheduling/priorityclass/definition.ts';

/** Every resource that is served, in the order of discovery. */
export const resources: readonly ResourceDefinition[] = [
	events,
	namespaces,
	nodes,
	pods,
	cronjobs,
	jobs,
	leases,
	priorityClasses,
];

/** The resource of a kind, by its apiVersion (`batch/v1`) and kind (`Job`). */
export function resourceOfKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
	return resources.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
}

/** The resource at a path's group, version and plural. */
export function resourceAt(group: string, version: string, resource: string): ResourceDefinition | undefined {
	return resources.find(
		(each) => each.group === group && each.version === version && each.resource === resource,
	);
}

/**
 * The resource that a user means by `word`: plural, singular, short name or kind in any case, with or
 * without its group (`jobs`, `job`, `Job`, `jobs.batch`, `po`).
 */
export function resourceNamed(word: string): ResourceDefinition | undefined {
	const lower = word.toLowerCase();
	return resources.find((each) => {
		const names = [each.resource, each.singular, each.kind.toLowerCase(), ...each.shortNames];
		const qualified = names.flatMap((name) => [
			name,
			`${name}.${each.group}`,
			`${name}.${each.version}.${each.group}`,
		]);
		return qualified.includes(lower);
	});
}

/** The resources in a category, as `all`. */
export function resourcesInCategory(category: string): readonly ResourceDefinition[] {
	return resources.filter(({ categories }) => categories.includes(category));
}
