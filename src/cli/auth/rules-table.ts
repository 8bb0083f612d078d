import type { SelfSubjectRulesReview } from '../../api/authorization/reviews.ts';
import { compareText } from '../../base/compare-text.ts';
import { alignText, TABLE_STYLE } from '../print/aligned-text.ts';

/** One row: either a resource or a path. */
interface Rule {
	readonly verbs: readonly string[];
	readonly group: string;
	readonly resource: string;
	/** At most one. */
	readonly names: readonly string[];
	/** At most one. */
	readonly paths: readonly string[];
}

const HEADINGS = 'Resources\tNon-Resource URLs\tResource Names\tVerbs';

/** The table of `auth can-i --list` (upstream: BreakdownRule, CompactRules and printAccess of k8s.io/kubectl). */
export function rulesTable(status: SelfSubjectRulesReview['status'], headers: boolean): string {
	const rules = [...resourceRules(status), ...pathRules(status)].sort((a, b) =>
		compareText(keyOf(a), keyOf(b)),
	);
	const lines = rules.map((rule) =>
		[resourceText(rule), goList(rule.paths), goList(rule.names), goList(rule.verbs)].join('\t'),
	);
	return `${alignText([...(headers ? [HEADINGS] : []), ...lines].join('\n'), TABLE_STYLE)}\n`;
}

/** A row for each resource and name, with all of its verbs. */
function resourceRules(status: SelfSubjectRulesReview['status']): readonly Rule[] {
	const found = new Map<string, Rule>();
	for (const { verbs, apiGroups = [], resources = [], resourceNames = [] } of status?.resourceRules ?? []) {
		const names = resourceNames.length > 0 ? resourceNames.map((name) => [name]) : [[]];
		for (const group of apiGroups)
			for (const resource of resources)
				for (const name of names) {
					const key = JSON.stringify([group, resource, name]);
					const before = found.get(key)?.verbs ?? [];
					const all = [...new Set([...before, ...verbs])];
					found.set(key, { verbs: all, group, resource, names: name, paths: [] });
				}
	}
	return [...found.values()];
}

/** A row for each path and verb: upstream does not combine these. */
function pathRules(status: SelfSubjectRulesReview['status']): readonly Rule[] {
	return (status?.nonResourceRules ?? []).flatMap(({ verbs, nonResourceURLs = [] }) =>
		nonResourceURLs.flatMap((path) =>
			verbs.map((verb) => ({ verbs: [verb], group: '', resource: '', names: [], paths: [path] })),
		),
	);
}

/** The text by which upstream sorts: that of the Go struct. */
function keyOf({ verbs, group, resource, names, paths }: Rule): string {
	const isPath = paths.length > 0;
	const fields = {
		Verbs: verbs,
		APIGroups: isPath ? [] : [group],
		Resources: isPath ? [] : [resource],
		ResourceNames: names,
		NonResourceURLs: paths,
	};
	return `&PolicyRule{${Object.entries(fields)
		.map(([name, values]) => `${name}:${goList(values)},`)
		.join('')}}`;
}

/** Upstream: CombineResourceGroup. */
function resourceText({ group, resource }: Rule): string {
	const [name, ...subresource] = resource.split('/');
	return [`${name}${group === '' ? '' : `.${group}`}`, ...subresource].join('/');
}

/** As Go prints a list. */
export function goList(values: readonly string[]): string {
	return `[${values.join(' ')}]`;
}
