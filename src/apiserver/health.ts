import { type Answer, textAnswer } from './answer.ts';
import type { Query } from './query.ts';

/** Paths that say whether the server is well. They and `/version` are open to everybody, as upstream. */
const CHECKS: readonly string[] = ['healthz', 'livez', 'readyz'];

/** The paths that need no token. */
export function isPublic(path: string): boolean {
	const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
	return trimmed === '/version' || CHECKS.some((check) => trimmed === `/${check}`);
}

/** The answer of a health check (`/readyz`, `/readyz/ping`), or undefined for other paths. */
export function health(path: string, query: Query, failure: Error | undefined): Answer | undefined {
	const [, check = '', part, ...rest] = path.split('/');
	if (!CHECKS.includes(check) || rest.length > 0) return undefined;
	const results = [
		{ name: 'ping', ok: true },
		{ name: 'store', ok: failure === undefined },
	].filter(({ name }) => part === undefined || name === part);
	if (results.length === 0) return undefined;
	const ok = results.every((result) => result.ok);
	if (ok && !query.has('verbose')) return textAnswer(200, 'ok');
	const lines = results.map(
		(result) => `[${result.ok ? '+' : '-'}]${result.name} ${result.ok ? 'ok' : 'failed'}`,
	);
	return textAnswer(ok ? 200 : 500, `${lines.join('\n')}\n${check} check ${ok ? 'passed' : 'failed'}\n`);
}
