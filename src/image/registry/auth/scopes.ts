/** What a session does with a repository. */
export type RegistryAction = 'pull' | 'push' | 'delete';

/** The scope of tokens for a repository: `repository:library/bash:pull`. */
export function repositoryScope(path: string, actions: readonly RegistryAction[]): string {
	return `repository:${path}:${[...new Set(actions)].toSorted().join(',')}`;
}

/** The scopes of both lists, each once, sorted: the same set is always the same text. */
export function mergeScopes(a: readonly string[], b: readonly string[]): readonly string[] {
	const byResource = new Map<string, Set<string>>();
	for (const scope of [...a, ...b]) {
		const colon = scope.lastIndexOf(':');
		if (colon < 0) continue;
		const resource = scope.slice(0, colon);
		const actions = byResource.get(resource) ?? new Set();
		for (const action of scope.slice(colon + 1).split(',')) actions.add(action);
		byResource.set(resource, actions);
	}
	return [...byResource]
		.map(([resource, actions]) => `${resource}:${[...actions].toSorted().join(',')}`)
		.toSorted();
}
