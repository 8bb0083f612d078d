import { readFileSync } from 'node:fs';

/** The version of this program, as its package says. */
export const VERSION: string = readVersion();

function readVersion(): string {
	const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
	const named = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
	return named ? String(manifest.version) : 'unknown';
}
