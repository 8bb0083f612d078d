import { JOBS, LARGE, times } from './parts.ts';

/** GET requests: name, expected status, path. */
export const READS: readonly (readonly [name: string, status: number, path: string])[] = [
	['all Jobs', 200, JOBS],
	['all Jobs, indented', 200, `${JOBS}?pretty=true`],
	['the large Job, indented', 200, `${JOBS}/${LARGE}?pretty=true`],
	[
		'a selector of 2,000 requirements',
		200,
		`${JOBS}?labelSelector=${times(2_000, (i) => `k${i}`).join(',')}`,
	],
	[
		'a selector of 1,000 values',
		200,
		`${JOBS}?labelSelector=k${encodeURIComponent(` in (${times(1_000, (i) => i).join(',')})`)}`,
	],
	['a selector of open brackets', 400, `${JOBS}?labelSelector=${encodeURIComponent('a in ('.repeat(500))}`],
	[
		'a field selector of 1,000 terms',
		400,
		`${JOBS}?fieldSelector=${times(1_000, (i) => `a${i}%3Db`).join(',')}`,
	],
	['a query of 5,000 parameters', 200, `${JOBS}?limit=1&${times(1_500, (i) => `a${i}=b`).join('&')}`],
	['a continue token of 12,000 bytes', 400, `${JOBS}?limit=1&continue=${'a'.repeat(12_000)}`],
	['percent signs', 400, `${JOBS}?labelSelector=${'%25'.repeat(4_000)}`],
	['a path of 5,000 steps', 404, `/apis${'/a'.repeat(5_000)}`],
];
