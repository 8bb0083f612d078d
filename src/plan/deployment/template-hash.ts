import type { PodTemplateSpec } from '../../api/core/pod/schema.ts';
import { safeText } from '../../api/meta/names.ts';
import { withoutField } from '../../api/schema/defaults.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { compareText } from '../../base/compare-text.ts';
import { isList, isRecord } from '../../base/json/json.ts';

/** The label that tells the Pods of a Deployment's templates apart. Its ReplicaSets select by it. */
export const TEMPLATE_HASH = 'pod-template-hash';

/**
 * The hash of a template, in the alphabet of generated names. Upstream hashes the text of a Go value, which no other program
 * can reproduce; here it is the canonical JSON. Each collision with a ReplicaSet of another template gives another hash.
 */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
	const text = canonical(template) + (collisionCount === undefined ? '' : `#${collisionCount}`);
	// FNV-1a, 32 bits, of the UTF-16 code units.
	let hash = 0x811c9dc5;
	for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
	return safeText(hash >>> 0);
}

/** Whether two templates differ at most in their hashes (upstream: EqualIgnoreHash). */
export function isSameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
	return semanticEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
	const { labels, ...metadata } = template.metadata ?? {};
	if (labels?.[TEMPLATE_HASH] === undefined) return template;
	return { ...template, metadata: { ...metadata, labels: withoutField(labels, TEMPLATE_HASH) } };
}

/** JSON with sorted keys and without empty values, so that semantically equal templates have equal texts. */
function canonical(value: unknown): string {
	if (isList(value)) return `[${value.map(canonical).join(',')}]`;
	if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
	const fields = Object.entries(value)
		.filter(([, each]) => !semanticEqual(each, undefined))
		.sort(([a], [b]) => compareText(a, b))
		.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`);
	return `{${fields.join(',')}}`;
}
