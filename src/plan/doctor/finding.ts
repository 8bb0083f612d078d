import { quote } from '../../base/quote.ts';
import type { RefusedTrial, Trial } from './facts.ts';

/** One line of the diagnosis. */
export interface MachineFinding {
	/** A stable name for programs, such as `userNamespaces`. */
	readonly name: string;
	/** A short name for people. */
	readonly title: string;
	/**
	 * `ok`: nothing is missing. `limited`: something is missing, or could not be tried, and Jobs run without it. `blocked`: no
	 * Job can run.
	 */
	readonly status: 'ok' | 'limited' | 'blocked';
	/** What was found, as a clause. */
	readonly found: string;
	/** What is the cause: the file, the kernel parameter or the filter. */
	readonly because?: string;
	/** The commands that change it, or what to do if that is no command; each is one line. */
	readonly fix?: readonly string[];
}

/** Why something is missing, and what changes it. */
export type Explanation = Pick<MachineFinding, 'because' | 'fix'>;

/** The name of a finding, for people and programs. */
export type FindingName = Pick<MachineFinding, 'name' | 'title'>;

/** The finding that nothing is missing. */
export function fine(name: FindingName, found: string): MachineFinding {
	return { ...name, status: 'ok', found };
}

/** The finding that something is missing without which Jobs run nevertheless. */
export function lacking(name: FindingName, found: string, cause: Explanation = {}): MachineFinding {
	return { ...name, status: 'limited', found, ...cause };
}

/** The finding that no Job can run. */
export function blocked(name: FindingName, found: string, cause: Explanation = {}): MachineFinding {
	return { ...name, status: 'blocked', found, ...cause };
}

/** What answered how, such as `EPERM at mount "/proc"`. */
export function refusalText({ code, step, detail }: RefusedTrial): string {
	return `${code} at ${step}${detail ? ` ${quote(detail)}` : ''}`;
}

/** Whether the trial was allowed. */
export function isAllowed(trial: Trial): boolean {
	return trial.kind === 'allowed';
}
