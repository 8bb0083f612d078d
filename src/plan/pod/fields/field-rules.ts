/**
 * What becomes of each field of a Pod: the one table that decides it, that docs/pod-fields.md and the README
 * are made from, and that the tests walk.
 *
 * 1. Every field of the schema has a row, so that none is accepted and then ignored in silence.
 * 2. Of the rows for one field the first that applies decides. A field that promises safety, or whose absence
 *    could make the container act on something else than was meant, holds the container back; a wish about
 *    quality lets it run with an event; the rest says why it is harmless.
 * 3. A row is passed over where the runtime declares that it honours the field ({@link RuntimeTraits}).
 *
 * Read `field-rule.ts` first, then the three lists of rows.
 */

import type { Container, Pod } from '../../../api/core/pod/schema.ts';
import type { RuntimeTraits } from '../../../api/meta/runtime-traits.ts';
import { isRecord } from '../../../base/json.ts';
import { CONTAINER_RULES } from './container-rules.ts';
import type { Effect, FieldRule } from './field-rule.ts';
import { POD_RULES } from './pod-rules.ts';
import { SECURITY_RULES } from './security-rules.ts';

/** All rows, in order. */
export const FIELD_RULES: readonly FieldRule[] = [...POD_RULES, ...SECURITY_RULES, ...CONTAINER_RULES];

/** A row that applies to a Pod. */
export interface Finding {
	readonly rule: FieldRule;
	/** Where in the Pod: `spec.containers[0].tty`. */
	readonly path: string;
	/** What to tell: upstream's words where it has some for this case, else the hint. */
	readonly text: string;
	/** The path, why, and what to do. */
	readonly hint: string;
}

/** A field of the table with its rows. */
interface FieldRules {
	readonly field: string;
	/** The steps from the Pod, or from the container, to the value. */
	readonly steps: readonly string[];
	readonly ofContainer: boolean;
	/** The steps from a container to what it sets for itself in place of this field of the Pod's. */
	readonly ownSteps: readonly string[] | undefined;
	/** Whether the answer can differ from container to container; others are judged once for the Pod. */
	readonly perContainer: boolean;
	readonly rules: readonly FieldRule[];
}

const CONTAINER_PREFIX = 'spec.containers[].';
const POD_SECURITY = 'spec.securityContext.';

const FIELDS: readonly FieldRules[] = [...Map.groupBy(FIELD_RULES, ({ field }) => field)].map(
	([field, rules]) => {
		const ofContainer = field.startsWith(CONTAINER_PREFIX);
		const steps = (ofContainer ? field.slice(CONTAINER_PREFIX.length) : field).split('.');
		const ownSteps = field.startsWith(POD_SECURITY) ? steps.slice(1) : undefined;
		const perContainer = ofContainer || isOverridable(field) || field === 'metadata.annotations';
		return { field, steps, ofContainer, ownSteps, perContainer, rules };
	},
);

/** Whether containers may set for themselves what the Pod's security context says. */
function isOverridable(field: string): boolean {
	if (!field.startsWith(POD_SECURITY)) return false;
	const own = `${CONTAINER_PREFIX}securityContext.${field.slice(POD_SECURITY.length)}`;
	return FIELD_RULES.some((rule) => rule.field === own);
}

/** The fields that can have an effect, so that a Pod is asked about no others. */
const BY_EFFECT: ReadonlyMap<Effect, readonly FieldRules[]> = new Map(
	[...new Set(FIELD_RULES.map(({ effect }) => effect))].map((effect) => [
		effect,
		FIELDS.filter(({ rules }) => rules.some((rule) => rule.effect === effect)),
	]),
);

/** A container and where it stands: `spec.initContainers[0]`. */
export interface Place {
	readonly container: Container;
	readonly path: string;
}

/** What of `pod` has this effect on this runtime, each place once, in the order of the table. */
export function findingsOf(pod: Pod, effect: Effect, traits: RuntimeTraits): readonly Finding[] {
	const places = placesIn(pod);
	const found = new Map<string, Finding>();
	for (const field of BY_EFFECT.get(effect) ?? []) {
		for (const place of field.perContainer ? places : places.slice(0, 1)) {
			const finding = findingFor(field, pod, place, traits);
			if (finding?.rule.effect === effect && !found.has(finding.path)) found.set(finding.path, finding);
		}
	}
	return [...found.values()];
}

/** Why the API server refuses the Pod, in upstream's words, whatever its runtime. */
export function refusalOf(pod: Pod): string | undefined {
	return findingsOf(pod, 'refused', NO_RUNTIME)[0]?.text;
}

const NO_RUNTIME: RuntimeTraits = { honours: new Set(), user: undefined, os: '' };

/** Why a container must not be started. */
export interface HoldBack {
	/** For its waiting state: upstream's text for the first field that has one, else the hints. */
	readonly message: string;
	/** All fields that hold it back, with what to do about each. */
	readonly hints: string;
}

/** Why the container at `place` must not be started on this runtime; undefined where it may be. */
export function holdBack(pod: Pod, place: Place, traits: RuntimeTraits): HoldBack | undefined {
	const findings = (BY_EFFECT.get('held') ?? []).flatMap((field) => {
		const finding = findingFor(field, pod, place, traits);
		return finding?.rule.effect === 'held' ? [finding] : [];
	});
	if (findings.length === 0) return undefined;
	const hints = hintsText(findings);
	return { message: findings.find(({ rule }) => rule.exactly)?.text ?? hints, hints };
}

/** Of a Pod with hundreds of containers the first findings say enough. */
const MOST_TOLD = 8;

/** The hints of the findings as one text of bounded length. */
export function hintsText(findings: readonly Finding[]): string {
	const told = findings.slice(0, MOST_TOLD).map(({ hint }) => hint);
	const left = findings.length - told.length;
	return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join('; ');
}

/** The init containers and containers of the Pod, each with its place. */
export function placesIn({ spec }: Pod): readonly Place[] {
	const { initContainers = [], containers } = spec;
	return [
		...initContainers.map((container, index) => ({ container, path: `spec.initContainers[${index}]` })),
		...containers.map((container, index) => ({ container, path: `spec.containers[${index}]` })),
	];
}

function findingFor(
	{ field, steps, ofContainer, ownSteps, rules }: FieldRules,
	pod: Pod,
	{ container, path }: Place,
	traits: RuntimeTraits,
): Finding | undefined {
	// Most fields of most Pods are absent, and this is asked of each field: it comes first.
	const value = valueAt(ofContainer ? container : pod, steps);
	if (value === undefined || value === null) return undefined;
	if (ownSteps && hasValue(container, ownSteps)) return undefined;
	const isHonoured = traits.honours === 'everything' || traits.honours.has(field);
	const use = { value, pod, container, traits };
	const rule = rules.find((each) => {
		if (isHonoured && !each.byStint && !isFine(each.effect)) return false;
		return each.when ? each.when(use) : saysAnything(value);
	});
	if (!rule) return undefined;
	const where = ofContainer ? [path, ...steps].join('.') : field;
	const hint = hintOf(where, rule);
	return { rule, path: where, text: rule.exactly?.(use) ?? hint, hint };
}

function isFine(effect: Effect): boolean {
	return effect === 'honoured' || effect === 'harmless';
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

/** Not false, not empty: what a client that writes out every field leaves says nothing. */
function saysAnything(value: unknown): boolean {
	if (Array.isArray(value)) return value.length > 0;
	if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
	return value !== false && value !== '';
}
