import type { Namespace } from '../../api/core/namespace/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { isList, isRecord } from '../../base/json/json.ts';
import { annotationLines, at, instant, labelLines, sortedPairs } from './lines.ts';

/** The lines of a Namespace. */
export function namespaceLines({ metadata, status }: Namespace): readonly string[] {
	const rows = (status.conditions ?? []).map(
		({ type, status: value, lastTransitionTime, reason = '', message = '' }) =>
			at(1, `${type}\t${value}\t${instant(lastTransitionTime)}\t${reason}\t${message}`),
	);
	return [
		`Name:\t${metadata.name}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		`Status:\t${status.phase ?? ''}`,
		...(rows.length === 0
			? []
			: [
					'Conditions:',
					at(1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage'),
					at(1, '----\t------\t------------------\t------\t-------'),
					...rows,
				]),
	];
}

/**
 * The lines of an object of any other kind: its metadata, then all fields with their names in words. Follows
 * kubectl's genericDescriber.
 */
export function genericLines(object: KubeObject): readonly string[] {
	const { metadata } = object;
	// The fields above are printed first; managedFields never, as in kubectl, for their length.
	const { name: _n, namespace: _s, labels: _l, annotations: _a, managedFields: _m, ...rest } = metadata;
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace ?? ''}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		...fieldLines({ ...object, metadata: rest }, 0),
	];
}

/**
 * Each level is indented by one more, sorted by field: the order of fields in the API means nothing. Items of a list have no
 * headings of their own, as in kubectl.
 */
function fieldLines(value: object, level: number): readonly string[] {
	return sortedPairs(Object.fromEntries(Object.entries(value))).flatMap(([name, field]) => {
		const label = wordsOf(name);
		if (isList(field)) {
			const items = field.flatMap((item: unknown) =>
				isRecord(item) ? fieldLines(item, level + 1) : [at(level + 1, String(item))],
			);
			return [at(level, `${label}:`), ...items];
		}
		if (isRecord(field)) return [at(level, `${label}:`), ...fieldLines(field, level + 1)];
		return [at(level, `${label}:\t${field}`)];
	});
}

/** Words that kubectl writes in capitals. */
const ACRONYMS: ReadonlySet<string> = new Set(['API', 'URL', 'UID', 'GUID']);

/** The words of a field name: `Creation Timestamp` for `creationTimestamp`. Upstream: smartLabelFor. */
function wordsOf(field: string): string {
	if (/[^A-Za-z-]/.test(field)) return field;
	const words = field.split(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/);
	return words
		.map((word) => {
			const upper = word.toUpperCase();
			return ACRONYMS.has(upper) ? upper : word.charAt(0).toUpperCase() + word.slice(1);
		})
		.join(' ');
}
