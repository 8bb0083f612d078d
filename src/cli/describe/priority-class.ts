import type { PriorityClass } from '../../api/scheduling/priorityclass/schema.ts';
import { sortedPairs } from './lines.ts';

/** The lines of a PriorityClass. */
export function priorityClassLines(given: PriorityClass): readonly string[] {
	const { metadata, value, globalDefault = false, preemptionPolicy = '', description = '' } = given;
	const annotations = sortedPairs(metadata.annotations).map(([key, text]) => `${key}=${text}`);
	return [
		`Name:\t${metadata.name}`,
		`Value:\t${value}`,
		`GlobalDefault:\t${globalDefault}`,
		`PreemptionPolicy:\t${preemptionPolicy}`,
		`Description:\t${description}`,
		`Annotations:\t${annotations.join(',') || '<none>'}`,
	];
}
