import { createHash } from 'node:crypto';
import type { JsonRecord } from '../../base/json/json.ts';
import { toCompactJson } from '../print/json.ts';

/**
 * The suffix of --append-hash: ten characters that change with the content (upstream: pkg/util/hash of k8s.io/kubectl).
 * `content` has the fields that count, with `kind` and `name`.
 */
export function nameHash(content: JsonRecord): string {
	const digits = createHash('sha256').update(toCompactJson(content)).digest('hex').slice(0, 10);
	// No vowels, so that no words appear.
	return digits.replace(/[013ae]/g, (digit) => REPLACED[digit] ?? digit);
}

const REPLACED: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };
