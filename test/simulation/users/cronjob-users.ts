import { cronjobs } from '../../../src/api/batch/cronjob/definition.ts';
import type { CronJob } from '../../../src/api/batch/cronjob/schema.ts';
import { jobs } from '../../../src/api/batch/job/definition.ts';
import type { Job } from '../../../src/api/batch/job/schema.ts';
import type { ResourceClient } from '../../../src/client/client.ts';
import type { Dice } from '../dice.ts';
import type { Act, ActOptions } from './act.ts';
import { drawCronJobChange, drawCronJobSpec } from './cronjob-specs.ts';

/** The actions of users on CronJobs. */
export class CronJobUsers {
	readonly #options: ActOptions;
	#jobsByHand = 0;

	constructor(options: ActOptions) {
		this.#options = options;
	}

	/** All actions, each as often as its weight in the draw. */
	get acts(): readonly Act[] {
		return [
			() => this.#create(),
			() => this.#create(),
			() => this.#change(),
			() => this.#change(),
			() => this.#delete(),
			() => this.#runByHand(),
		];
	}

	/** Updates about every other CronJob. */
	get changeSome(): readonly Act[] {
		return this.#all()
			.filter(() => this.#options.dice.chance(0.5))
			.map((cronJob) => () => this.#change(cronJob));
	}

	/** Suspends or deletes every CronJob. */
	get suspendAll(): readonly Act[] {
		const { dice } = this.#options;
		return this.#all().map(({ metadata: { name = '' }, spec }) => async () => {
			if (spec.suspend) return;
			this.#note(`suspends or deletes CronJob ${name}`);
			if (dice.chance(0.7)) await this.#client.patch(name, 'merge', { spec: { suspend: true } });
			else await this.#client.delete(name, { propagationPolicy: drawPropagation(dice) });
		});
	}

	async #create(): Promise<void> {
		const { dice } = this.#options;
		const name = `cron-${dice.between(0, 2)}`;
		if (this.#all().some(({ metadata }) => metadata.name === name)) return;
		const spec = drawCronJobSpec(dice);
		this.#note(`creates CronJob ${name} ${JSON.stringify(spec)}`);
		// The cast is safe: this is a manifest, which the server decodes and defaults.
		const cronJob = {
			apiVersion: 'batch/v1',
			kind: 'CronJob',
			metadata: { name },
			spec,
		} as unknown as CronJob;
		await this.#client.create(cronJob);
	}

	async #change(cronJob = this.#one()): Promise<void> {
		const name = cronJob?.metadata.name;
		if (name === undefined) return;
		const spec = drawCronJobChange(this.#options.dice);
		this.#note(`changes CronJob ${name} ${JSON.stringify(spec)}`);
		await this.#client.patch(name, 'merge', { spec });
	}

	async #delete(): Promise<void> {
		const name = this.#one()?.metadata.name;
		if (name === undefined) return;
		const propagationPolicy = drawPropagation(this.#options.dice);
		this.#note(`deletes CronJob ${name}, ${propagationPolicy}`);
		await this.#client.delete(name, { propagationPolicy });
	}

	/** Does what `kubectl create job --from=cronjob/...` does. */
	async #runByHand(): Promise<void> {
		const cronJob = this.#one();
		if (!cronJob) return;
		const { name = '', uid = '' } = cronJob.metadata;
		this.#jobsByHand += 1;
		const byHand = `by-hand-${this.#jobsByHand}`;
		this.#note(`runs CronJob ${name} as ${byHand}`);
		const job: Job = {
			apiVersion: 'batch/v1',
			kind: 'Job',
			metadata: {
				name: byHand,
				annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
				ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid, controller: true }],
			},
			spec: cronJob.spec.jobTemplate.spec,
			status: {},
		};
		await this.#options.client().resource(jobs, 'default').create(job);
	}

	#all(): readonly CronJob[] {
		// The cast is safe: the resource determines the type.
		return this.#options.history.all('cronjobs') as unknown as readonly CronJob[];
	}

	#one(): CronJob | undefined {
		const all = this.#all();
		return all[this.#options.dice.between(0, all.length - 1)];
	}

	get #client(): ResourceClient<CronJob> {
		return this.#options.client().resource(cronjobs, 'default');
	}

	#note(what: string): void {
		this.#options.trace.note('user', what);
	}
}

function drawPropagation(dice: Dice): 'Background' | 'Foreground' | 'Orphan' {
	return dice.of('Background', 'Foreground', 'Orphan');
}
