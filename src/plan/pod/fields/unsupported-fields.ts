import type { DecidingTraits, Effect, FieldRule } from './field-rule.ts';
import { FIELD_RULES, isSkipped } from './field-rules.ts';

/** A row of the table by which a Pod does not run as specified, for people and programs. */
export interface FieldSupport {
	/** The field as it is written in a manifest, without the path to the Pod's spec or the container. */
	readonly field: string;
	/** The values to which the row applies; absent: all. */
	readonly only?: string;
	readonly effect: Effect;
	readonly because: string;
	readonly instead?: string;
}

/** The effects with which a Pod does not run as specified, the most severe first. */
const EFFECTS: readonly Effect[] = ['rejected', 'unscheduled', 'unmounted', 'held', 'dropped', 'warned'];

/** The rows that apply on a runtime, the most severe first, each once: a Pod and its containers may have the same. */
export function unsupportedFields(traits: DecidingTraits): readonly FieldSupport[] {
	const rows = EFFECTS.flatMap((effect) =>
		FIELD_RULES.filter((rule) => rule.effect === effect && !isSkipped(rule, traits)),
	);
	const found = rows.map((rule): FieldSupport => {
		const { effect, because, only, instead } = rule;
		return {
			field: shortName(rule),
			...(only !== undefined && { only }),
			effect,
			because,
			...(instead !== undefined && { instead }),
		};
	});
	return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

/** The name relative to the Pod's spec or to the container, as it is written in a manifest. */
export function shortName({ field }: Pick<FieldRule, 'field'>): string {
	return field.replace(/^spec\.(containers\[\]\.)?/, '');
}
