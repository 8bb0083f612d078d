/** A running task and those who wait for it. */
interface SharedTask<T> {
	readonly result: Promise<T>;
	readonly controller: AbortController;
	waiting: number;
}

/**
 * Runs each task once for all that ask for it at the same time: two Pods with one image download it once. A caller
 * that aborts stops waiting; the task itself is aborted only when all its callers have.
 */
export class SharedTasks<T> {
	readonly #tasks = new Map<string, SharedTask<T>>();

	/** The result of the running task with this key; if there is none, `start` begins it. */
	async run(
		key: string,
		start: (signal: AbortSignal) => Promise<T>,
		signal: AbortSignal | undefined,
	): Promise<T> {
		signal?.throwIfAborted();
		const task = this.#tasks.get(key) ?? this.#begin(key, start);
		task.waiting += 1;
		const leave = (): void => {
			task.waiting -= 1;
			if (task.waiting > 0) return;
			// A later caller must not join a task that is being aborted.
			if (this.#tasks.get(key) === task) this.#tasks.delete(key);
			task.controller.abort(signal?.reason);
		};
		return new Promise((resolve, reject) => {
			const abort = (): void => {
				leave();
				reject(signal?.reason);
			};
			signal?.addEventListener('abort', abort, { once: true });
			const settle = (): void => signal?.removeEventListener('abort', abort);
			task.result.finally(settle).then(resolve, reject);
		});
	}

	#begin(key: string, start: (signal: AbortSignal) => Promise<T>): SharedTask<T> {
		const controller = new AbortController();
		const task = { result: start(controller.signal), controller, waiting: 0 };
		this.#tasks.set(key, task);
		const remove = (): void => {
			if (this.#tasks.get(key) === task) this.#tasks.delete(key);
		};
		task.result.then(remove, remove);
		return task;
	}
}
