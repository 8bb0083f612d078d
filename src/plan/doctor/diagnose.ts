/**
 * plan/doctor/: from what was tried on a machine (facts.ts) to what its Pods can be, why not more, and what changes that.
 * Read finding.ts, refusal-causes.ts (why the kernel refuses), then the findings: isolation-findings.ts, runtime-findings.ts,
 * resource-findings.ts, environment-findings.ts.
 *
 * 1. A finding comes from a trial. Files only explain why a trial failed; they never decide that something is allowed.
 * 2. The fields of Pods are those of the table in plan/pod/fields, for the traits that the runtime declares here.
 */
import { type FieldSupport, unsupportedFields } from '../pod/fields/unsupported-fields.ts';
import { baseFindings, environmentFindings } from './environment-findings.ts';
import type { MachineFacts } from './facts.ts';
import type { MachineFinding } from './finding.ts';
import { isolationFindings } from './isolation-findings.ts';
import { resourceFindings } from './resource-findings.ts';
import { networkFindings, runtimeFindings } from './runtime-findings.ts';

/** What a machine allows. */
export interface Diagnosis {
	/** Whether Jobs can run at all. */
	readonly canRunJobs: boolean;
	readonly level: MachineFacts['isolation']['level'];
	readonly findings: readonly MachineFinding[];
	/** The fields of Pods that the runtime `process` does not honour on this machine, those with the worst effect first. */
	readonly fields: readonly FieldSupport[];
}

/** The diagnosis of a machine. */
export function diagnose(facts: MachineFacts): Diagnosis {
	const findings = [
		...baseFindings(facts),
		...isolationFindings(facts),
		...runtimeFindings(facts),
		...networkFindings(facts),
		...resourceFindings(facts),
		...environmentFindings(facts),
	];
	return {
		canRunJobs: findings.every(({ status }) => status !== 'blocked'),
		level: facts.isolation.level,
		findings,
		fields: unsupportedFields(facts.traits),
	};
}
