import type { Job } from '../../api/batch/job/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import type { Connection } from '../context.ts';
import { logLines } from '../log-stream.ts';

/** How a container of a Job ended badly. */
export interface Failure {
	readonly pod: string;
	readonly container: string;
	readonly exitCode: number;
	readonly reason: string;
	/** The end of its log. */
	readonly lastLines: readonly string[];
}

/** The most failures that are told one by one, and the most lines of each. */
const MOST_FAILURES = 3;
const LAST_LINES = 5;

/** How the Pods of a Job failed, the latest first; what is no longer there is left out. */
export async function failuresOf(connection: Connection, job: Job): Promise<readonly Failure[]> {
	const target = connection.client.resource(pods, job.metadata.namespace);
	const { items } = await target.list({ labelSelector: labelSelectorText(job.spec.selector) });
	const ended = items
		.flatMap((pod) => badEndsOf(pod).map((end) => ({ pod, ...end })))
		.toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt))
		.slice(0, MOST_FAILURES);
	return Promise.all(
		ended.map(async ({ pod, container, exitCode, reason }) => {
			const lastLines = await lastLinesOf(connection, pod, container);
			return { pod: pod.metadata.name ?? '', container, exitCode, reason, lastLines };
		}),
	);
}

/** The exit code to end with for a Job that failed: that of its last failed container, where it is one. */
export function exitCodeOf(failures: readonly Failure[]): number {
	const code = failures[0]?.exitCode ?? 1;
	return code >= 1 && code <= 255 ? code : 1;
}

function badEndsOf({
	status,
}: Pod): readonly { container: string; exitCode: number; reason: string; finishedAt: string }[] {
	return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].flatMap((each) => {
		const end = each.state?.terminated ?? each.lastState?.terminated;
		if (!end || end.exitCode === 0) return [];
		const { exitCode, reason = '', finishedAt = '' } = end;
		return [{ container: each.name, exitCode, reason, finishedAt }];
	});
}

async function lastLinesOf(connection: Connection, pod: Pod, container: string): Promise<readonly string[]> {
	const lines: string[] = [];
	try {
		for await (const line of logLines(connection, pod, { container, tailLines: LAST_LINES }))
			lines.push(line);
	} catch {
		// A log that cannot be read is no reason to say less of the failure.
	}
	return lines;
}

/** The failures in words. */
export function digestText(failures: readonly Failure[]): string {
	return failures
		.map(({ pod, container, exitCode, reason, lastLines }) => {
			const head = `  pod/${pod}: container ${container} ended with exit code ${exitCode}${reason ? ` (${reason})` : ''}\n`;
			return head + lastLines.map((line) => `    ${line}\n`).join('');
		})
		.join('');
}
