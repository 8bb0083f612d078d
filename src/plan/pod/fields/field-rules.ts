/**
 * The table of all fields of a Pod and their effects. Warnings, admission, the node agent, docs/pod-fields.md
 * and the README are all derived from it, and the tests check every row.
 *
 * 1. Every field of the schema has a row, so that no field is accepted and then silently ignored.
 * 2. If a field has several rows, the first one that applies decides. A field that promises safety, or without
 *    which the container could act on the wrong data or host, prevents the start of the container. A field
 *    about quality lets the container run with an Event. All other rows say why the field is harmless.
 * 3. A row is skipped if the runtime declares that it supports the field ({@link RuntimeTraits}).
 *
 * Read `field-rule.ts` first, then the lists of rows: dropped-rules.ts, pod-rules.ts, security-rules.ts,
 * container-rules.ts.
 */

import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { Container, Pod } from '../../../api/core/pod/schema.ts';
import { isList, isRecord } from '../../../base/json/json.ts';
import { CONTAINER_RULES } from './container-rules.ts';
import { DROPPED_RULES } from './dropped-rules.ts';
import { type DecidingTraits, type Effect, type FieldRule, honoursField } from './field-rule.ts';
import { POD_RULES } from './pod-rules.ts';
import { SECURITY_RULES } from './security-rules.ts';

/** All rows, in order. */
export const FIELD_RULES: readonly FieldRule[] = [
	...DROPPED_RULES,
	...POD_RULES,
	...SECURITY_RULES,
	...CONTAINER_RULES,
];

/** A row that applies to a Pod. */
export interface Finding {
	readonly rule: FieldRule;
	/** The path in the Pod, for example `spec.containers[0].tty`. */
	readonly path: string;
	/** The message: upstream's if it has one for this case, otherwise the hint. */
	readonly text: string;
	/** The path and the reason, or upstream's message, and what to do instead. */
	readonly hint: string;
}

/** A field of the table and its rows. */
interface FieldRules {
	readonly field: string;
	/** The property names from the Pod, or from the container, to the value. */
	readonly steps: readonly string[];
	readonly ofContainer: boolean;
	/**
	 * The property names from a container to the field that overrides this field of the Pod; undefined if there
	 * is none.
	 */
	readonly ownSteps: readonly string[] | undefined;
	/** Whether the result may differ between containers; other fields are checked once for the Pod. */
	readonly perContainer: boolean;
	readonly rules: readonly FieldRule[];
}

const CONTAINER_PREFIX = 'spec.containers[].';
const POD_SECURITY = 'spec.securityContext.';

/** The fields with a row. */
const NAMES: ReadonlySet<string> = new Set(FIELD_RULES.map(({ field }) => field));

const FIELDS: readonly FieldRules[] = [...Map.groupBy(FIELD_RULES, ({ field }) => field)].map(
	([field, rules]) => {
		const ofContainer = field.startsWith(CONTAINER_PREFIX);
		const steps = (ofContainer ? field.slice(CONTAINER_PREFIX.length) : field).split('.');
		const ownSteps = field.startsWith(POD_SECURITY) ? steps.slice(1) : undefined;
		const perContainer = ofContainer || isOverridable(field) || field === 'metadata.annotations';
		return { field, steps, ofContainer, ownSteps, perContainer, rules };
	},
);

/** Whether containers may override this field of the Pod's security context. */
function isOverridable(field: string): boolean {
	if (!field.startsWith(POD_SECURITY)) return false;
	return NAMES.has(`${CONTAINER_PREFIX}securityContext.${field.slice(POD_SECURITY.length)}`);
}

/** The fields with a row of each effect, so that only these are checked. */
const BY_EFFECT: ReadonlyMap<Effect, readonly FieldRules[]> = new Map(
	[...new Set(FIELD_RULES.map(({ effect }) => effect))].map((effect) => [
		effect,
		FIELDS.filter(({ rules }) => rules.some((rule) => rule.effect === effect)),
	]),
);

/** A container and its path, for example `spec.initContainers[0]`. */
export interface Place {
	readonly container: Container;
	readonly path: string;
}

/**
 * The uses of fields in `pod` that have this effect on this runtime, each path once, in the order of the table.
 */
export function findingsOf(pod: Pod, effect: Effect, traits: RuntimeTraits): readonly Finding[] {
	const places = placesIn(pod);
	const found = new Map<string, Finding>();
	for (const field of BY_EFFECT.get(effect) ?? []) {
		for (const place of field.perContainer ? places : places.slice(0, 1)) {
			const finding = findingFor(field, { pod, place }, traits);
			if (finding?.rule.effect === effect && !found.has(finding.path)) found.set(finding.path, finding);
		}
	}
	return [...found.values()];
}

/** Why a container must not be started. */
export interface HoldBack {
	/** The message of its waiting state: upstream's for the first field that has one, otherwise the hints. */
	readonly message: string;
	/** The hints for all fields that prevent the start. The first contains `message`. */
	readonly hints: string;
}

/** Why the container must not be started on this runtime; undefined if it may be. */
export function holdBack(pod: Pod, place: Place, traits: RuntimeTraits): HoldBack | undefined {
	const findings = (BY_EFFECT.get('held') ?? []).flatMap((field) => {
		const finding = findingFor(field, { pod, place }, traits);
		return finding?.rule.effect === 'held' ? [finding] : [];
	});
	if (findings.length === 0) return undefined;
	const [first] = findings.filter(({ rule }) => rule.exactly);
	const hints = hintsText(first ? [first, ...findings.filter((each) => each !== first)] : findings);
	return { message: first?.text ?? hints, hints };
}

/** Maximum number of findings in one message, for Pods with hundreds of containers. */
const MOST_IN_MESSAGE = 8;

/** The hints of the first findings as one text of limited length. */
export function hintsText(findings: readonly Finding[]): string {
	const shown = findings.slice(0, MOST_IN_MESSAGE).map(({ hint }) => hint);
	const omitted = findings.length - shown.length;
	return [...shown, ...(omitted > 0 ? [`and ${omitted} more`] : [])].join('; ');
}

/** The init, regular and ephemeral containers of the Pod, each with its path. */
export function placesIn({ spec }: Pod): readonly Place[] {
	const { initContainers = [], containers, ephemeralContainers = [] } = spec;
	return [
		...initContainers.map((container, index) => ({ container, path: `spec.initContainers[${index}]` })),
		...containers.map((container, index) => ({ container, path: `spec.containers[${index}]` })),
		...ephemeralContainers.map((container, index) => ({
			container,
			path: `spec.ephemeralContainers[${index}]`,
		})),
	];
}

function findingFor(
	{ field, steps, ofContainer, ownSteps, rules }: FieldRules,
	{ pod, place: { container, path } }: { readonly pod: Pod; readonly place: Place },
	traits: RuntimeTraits,
): Finding | undefined {
	// Checked first for speed: most fields are absent in most Pods.
	const value = valueAt(ofContainer ? container : pod, steps);
	if (value === undefined || value === null) return undefined;
	if (ownSteps && hasValue(container, ownSteps)) return undefined;
	const use = { value, pod, container, traits };
	const rule = rules.find((each) => {
		if (isSkipped(each, traits)) return false;
		return each.when ? each.when(use) : isMeaningful(value);
	});
	if (!rule) return undefined;
	const where = ofContainer ? [path, ...steps].join('.') : field;
	const text = rule.exactly?.(use);
	const hint = hintOf(where, rule);
	return {
		rule,
		path: where,
		text: text ?? hint,
		hint: text === undefined ? hint : `${text}: ${rule.instead}`,
	};
}

/** Whether the runtime honours what the row is about. */
export function isSkipped(rule: FieldRule, traits: DecidingTraits): boolean {
	const { field, comesWith = field, effect, byStint, unless, onlyWith } = rule;
	const isFine = effect === 'honoured' || effect === 'harmless';
	if (isFine) return false;
	if (unless !== undefined && traits[unless]) return true;
	if (onlyWith !== undefined && traits[onlyWith] === undefined) return true;
	return !byStint && honoursField(traits, comesWith);
}

function hintOf(where: string, { because, instead = 'remove the field' }: FieldRule): string {
	return `${where} is not honoured: ${because}: ${instead}`;
}

function hasValue(from: unknown, steps: readonly string[]): boolean {
	const value = valueAt(from, steps);
	return value !== undefined && value !== null;
}

function valueAt(from: unknown, steps: readonly string[]): unknown {
	let value = from;
	for (const step of steps) {
		if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined;
		value = value[step];
	}
	return value;
}

/**
 * Whether the value is neither false nor empty. Clients that serialize every field write such values without
 * intent.
 */
function isMeaningful(value: unknown): boolean {
	if (isList(value)) return value.length > 0;
	if (isRecord(value)) return Object.keys(value).length > 0;
	return value !== false && value !== '';
}
