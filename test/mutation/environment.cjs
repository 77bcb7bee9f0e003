const { Buffer } = require('node:buffer');
const { spawnSync } = require('node:child_process');
const { appendFileSync, closeSync, openSync, readSync, rmSync, writeFileSync } = require('node:fs');
const { performance } = require('node:perf_hooks');
const { clearTimeout, setTimeout } = require('node:timers');
const OneRealm = require('../one-realm.cjs');
const { whileLoaded } = require('./instrumented.cjs');

/** The one that is switched on from the beginning, in a process that says whether tests fail by it. */
const { FAIRLEAD_MUTANT: onlyMutant } = process.env;

/** In seconds: of a test that waits for what never comes. */
const longest = 10;

/** Stryker's own. A mutant that runs its code so many times more often than the code itself does is in a loop. */
const hitLimitFactor = 100;

/** Of mutants that are tried at once: most survive most files of tests. */
const mostTogether = 64;

/**
 * Runs the tests of a file, notes which mutants each reaches, and then, for each mutant that no other file has killed, those tests
 * again with the mutant switched on (but for tests that cannot run twice). The modules stay as they were loaded, which is why a
 * mutant costs milliseconds; and why code that runs while they are loaded is left out.
 */
module.exports = class MutationEnvironment extends OneRealm {
  constructor(config, context) {
    super(config, context);
    this.file = context.testPath;
    this.outcomes = new Outcomes(process.env.FAIRLEAD_MUTATION_FOLDER);
    /** Whether no mutant has been switched on, and whether one has left something behind. */
    this.isFresh = true;
    this.isSpoilt = false;
    /** The blocks whose `beforeAll` has run, from the outermost. */
    this.entered = [];
    /** Numbers of tests and hooks, as the instrumented code notes them. */
    this.numbers = new Map();
    this.milliseconds = new Map();
    this.stryker = globalThis.__stryker__ = { mutantCoverage: { static: {}, perTest: {} } };
    if (onlyMutant !== undefined) this.stryker.activeMutants = new Set([onlyMutant]);
    // That a test fails is enough; the smallest input that makes it fail is not looked for.
    require('fast-check').configureGlobal({ endOnFailure: true });
  }

  async handleTestEvent(event, state) {
    switch (event.name) {
      case 'run_start':
        this.stryker.currentTestId = undefined;
        break;
      case 'hook_start':
        if (event.hook.type === 'beforeAll') this.stryker.currentTestId = this.numberOf(event.hook);
        break;
      case 'hook_success':
        if (event.hook.type === 'beforeAll') this.stryker.currentTestId = undefined;
        break;
      case 'test_start':
        this.stryker.currentTestId = this.numberOf(event.test);
        this.milliseconds.set(event.test, performance.now());
        break;
      case 'test_done':
        this.stryker.currentTestId = undefined;
        this.milliseconds.set(event.test, performance.now() - this.milliseconds.get(event.test));
        break;
      case 'run_finish':
        if (onlyMutant !== undefined) break;
        this.ranOnce = state.unhandledErrors.length === 0;
        await this.meetMutants(testsOf(state.rootDescribeBlock));
        break;
    }
  }

  async teardown() {
    this.outcomes.close();
    await super.teardown();
  }

  numberOf(testOrHook) {
    if (!this.numbers.has(testOrHook)) this.numbers.set(testOrHook, String(this.numbers.size + 1));
    return this.numbers.get(testOrHook);
  }

  async meetMutants(tests) {
    const failing = tests.filter(({ test }) => test.errors.length > 0);
    if (failing.length > 0 || !this.ranOnce)
      throw new Error(`tests fail without a mutant: ${failing.map(nameOf).join(', ')}`);
    const { file, outcomes } = this;
    const { static: loaded, perTest } = this.stryker.mutantCoverage;
    this.made = perTest[whileLoaded] ?? {};
    outcomes.note({ file, loaded: Object.keys({ ...loaded, ...this.made }) });
    const again = [];
    for (const each of tests) if (!(await this.fails(each))) again.push(each);
    const reached = [...this.reached(again)].map(([id, of]) => ({ id, ...of }));
    const left = shuffled(reached.filter(({ id }) => !outcomes.isKnown(file, id)));
    const [alone, together] = [true, false].map((is) => left.filter(({ id }) => outcomes.isAlone(file, id) === is));
    for (const mutant of alone) await this.meetTogether([mutant]);
    for (let size = 8; together.length > 0 && !this.isSpoilt;) {
      const group = together.splice(0, size).filter(({ id }) => !outcomes.isKnown(file, id));
      const haveSurvived = await this.meetTogether(group);
      size = haveSurvived ? Math.min(2 * size, mostTogether) : Math.max(1, Math.ceil(size / 2));
    }
    await this.leaveTo([]);
    if (!this.isSpoilt) outcomes.note({ file, finished: true });
    outcomes.end();
  }

  /** Whether no test of those that reach some mutants fails with all of them; else each half is tried again, down to one. */
  async meetTogether(mutants, suspect) {
    const { file, outcomes } = this;
    if (mutants.length === 0 || this.isSpoilt) return true;
    const ids = mutants.map(({ id }) => id);
    outcomes.begin(file, ids);
    const killer = await this.killerOf(mutants, suspect);
    if (killer === undefined) {
      for (const mutant of ids) outcomes.note({ file, mutant, killed: false });
      this.isFresh = false;
      return true;
    }
    // What these or those before them left behind in a module: who was it is known once the file is loaded anew.
    this.isSpoilt = await this.fails(killer);
    if (this.isSpoilt && !(this.isFresh && ids.length === 1)) {
      outcomes.note({ file, alone: ids });
      return false;
    }
    this.isFresh = false;
    if (ids.length === 1) {
      outcomes.note({ file, mutant: ids[0], killed: this.isKilled(ids[0]), test: nameOf(killer) });
      return false;
    }
    const half = Math.ceil(mutants.length / 2);
    for (const part of [mutants.slice(0, half), mutants.slice(half)]) await this.meetTogether(part, killer);
    return false;
  }

  /**
   * Whether a test fails by a mutant itself. What the file made while it was loaded is not made anew, and a test that compares it with
   * what a mutant makes fails: there a process of its own has to say so, in which both are made by the mutant.
   */
  isKilled(mutant) {
    if (!(mutant in this.made)) return true;
    const env = { ...process.env, FAIRLEAD_MUTANT: mutant };
    return spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'ignore', timeout: 60_000 }).status !== 0;
  }

  /** The mutants that tests reach, each with its tests, the quickest first, and how often one of them runs its code at most. */
  reached(tests) {
    const { perTest } = this.stryker.mutantCoverage;
    const reached = new Map();
    const quickest = [...tests].sort((a, b) => this.milliseconds.get(a.test) - this.milliseconds.get(b.test));
    for (const each of quickest) {
      for (const number of [each.test, ...hooksOf('beforeAll', each.blocks)].map((one) => this.numberOf(one))) {
        for (const [mutant, hits] of Object.entries(perTest[number] ?? {})) {
          const before = reached.get(mutant) ?? { by: [], hits: 0 };
          if (before.by.at(-1) !== each) before.by.push(each);
          reached.set(mutant, { by: before.by, hits: Math.max(before.hits, hits) });
        }
      }
    }
    return reached;
  }

  async killerOf(mutants, suspect) {
    const reaching = new Set(mutants.flatMap(({ by }) => by));
    const hitLimit = hitLimitFactor * (1 + mutants.reduce((sum, { hits }) => sum + hits, 0));
    for (const test of reaching.has(suspect) ? new Set([suspect, ...reaching]) : reaching) {
      Object.assign(this.stryker, { activeMutants: new Set(mutants.map(({ id }) => id)), hitCount: 0, hitLimit });
      try {
        if (await this.fails(test)) return test;
      } finally {
        Object.assign(this.stryker, { activeMutants: undefined, hitCount: undefined, hitLimit: undefined });
      }
    }
    return undefined;
  }

  async fails(each) {
    const { expect } = this.global;
    const { snapshotState } = expect.getState();
    // It counts snapshots by test, and would look for a second one.
    snapshotState._counters = new Map();
    expect.setState({ currentTestName: nameOf(each), assertionCalls: 0, suppressedErrors: [] });
    let timer;
    const timeout = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('takes too long')), longest * 1000);
    });
    try {
      await Promise.race([this.run(each), timeout]);
      return expect.getState().suppressedErrors.length > 0;
    } catch {
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  async run({ test, blocks }) {
    const { activeMutants = new Set(), mutantCoverage } = this.stryker;
    const ofHooks = hooksOf('beforeAll', blocks).map((hook) => mutantCoverage.perTest[this.numberOf(hook)] ?? {});
    // What is made once for all tests is made anew only if a mutant has a part in it.
    const isAnew = ofHooks.some((mutants) => Object.keys(mutants).some((mutant) => activeMutants.has(mutant)));
    if (isAnew) await this.leaveTo([]);
    const context = {};
    try {
      await this.leaveTo(blocks);
      for (const block of blocks.slice(this.entered.length)) {
        this.entered.push(block);
        await runAll(hooksOf('beforeAll', [block]), context);
      }
      await runAll(hooksOf('beforeEach', blocks), context);
      await test.fn.call(context);
    } finally {
      await runAll(hooksOf('afterEach', [...blocks].reverse()), context);
      if (isAnew) await this.leaveTo([]);
    }
  }

  /** Runs `afterAll` of the blocks that are not among these, which no test fails by. */
  async leaveTo(blocks) {
    while (this.entered.length > 0 && !blocks.includes(this.entered.at(-1)))
      await runAll(hooksOf('afterAll', [this.entered.pop()]), {}).catch(() => undefined);
  }
};

/** What became of mutants, a line each, of all files: others write while this one reads. */
class Outcomes {
  killed = new Set();
  survived = new Set();
  alone = new Set();
  position = 0;
  rest = '';

  constructor(folder) {
    this.folder = folder;
    this.descriptor = openSync(`${folder}/outcomes`, 'a+');
  }

  /** Whether a mutant needs no more of a file: one kill is enough. */
  isKnown(file, mutant) {
    this.read();
    return this.killed.has(mutant) || this.survived.has(`${mutant} ${file}`);
  }

  /** Whether a mutant is to be tried without others, as it or one of them spoils what is loaded. */
  isAlone(file, mutant) {
    return this.alone.has(`${mutant} ${file}`);
  }

  read() {
    const chunk = Buffer.alloc(1 << 16);
    for (let size; (size = readSync(this.descriptor, chunk, 0, chunk.length, this.position)) > 0; this.position += size)
      this.rest += chunk.toString('utf8', 0, size);
    const lines = this.rest.split('\n');
    this.rest = lines.pop();
    for (const { file, mutant, killed, alone = [] } of lines.map((line) => JSON.parse(line))) {
      for (const id of alone) this.alone.add(`${id} ${file}`);
      if (killed) this.killed.add(mutant);
      else if (mutant !== undefined) this.survived.add(`${mutant} ${file}`);
    }
  }

  /** For whoever watches: mutants may keep the process busy, or end it. */
  begin(file, mutants) {
    writeFileSync(`${this.folder}/current-${process.pid}`, JSON.stringify({ file, mutants }));
  }

  end() {
    rmSync(`${this.folder}/current-${process.pid}`, { force: true });
  }

  note(outcome) {
    appendFileSync(this.descriptor, `${JSON.stringify(outcome)}\n`);
  }

  close() {
    closeSync(this.descriptor);
  }
}

/** The same at each run; neighbours, of which one may hide the other, come apart. */
function shuffled(mutants) {
  const key = ({ id }) => (Number(id) * 2654435761) % 4294967296;
  return [...mutants].sort((one, other) => key(one) - key(other));
}

function testsOf(block, outer = []) {
  const blocks = [...outer, block];
  return block.children.flatMap((child) => {
    if (child.type === 'describeBlock') return testsOf(child, blocks);
    return child.mode === 'skip' || child.mode === 'todo' ? [] : [{ test: child, blocks }];
  });
}

function nameOf({ test, blocks }) {
  return [...blocks.slice(1).map(({ name }) => name), test.name].join(' ');
}

function hooksOf(type, blocks) {
  return blocks.flatMap((block) => block.hooks.filter((hook) => hook.type === type));
}

async function runAll(hooks, context) {
  for (const { fn } of hooks) await fn.call(context);
}
