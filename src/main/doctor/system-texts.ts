import { accessSync, readFileSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';
import { codeOf } from '../../base/files/system-error.ts';
import type { RefusedTrial } from '../../plan/doctor/facts.ts';

/** The content of a file of the system; empty if it cannot be read. */
export function textOf(path: string): string {
	return attempt(() => readFileSync(path, 'utf8')) ?? '';
}

/** The number in a file of the system; undefined if there is none. */
export function numberIn(path: string): number | undefined {
	const text = textOf(path).trim();
	return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Whether a file exists. */
export function isPresent(path: string): boolean {
	return attempt(() => accessSync(path) ?? true) ?? false;
}

/** The refusal that a system error means. */
export function refusalOf(error: unknown, step: string, detail?: string): RefusedTrial {
	const code = codeOf(error) || 'an error';
	return { kind: 'refused', code, step, ...(detail !== undefined && { detail }) };
}
