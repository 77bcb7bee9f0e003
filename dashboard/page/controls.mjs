import { byId, element, Keyed, setAttributes, setText } from './dom.mjs';

/** In milliseconds. */
const toastShown = 6000;

/** The buttons that do something to what runs. */
export class Controls {
  constructor() {
    this.state = null;
    this.mostInstances = 1;
    byId('send').addEventListener('click', () => {
      const isSending = this.state !== null && this.state.load > 0;
      this.act({ action: 'load', rate: isSending ? 0 : Number(byId('rate').value) });
    });
    byId('rate').addEventListener('change', () => {
      if (this.state !== null && this.state.load > 0) this.act({ action: 'load', rate: Number(byId('rate').value) });
    });
    this.backends = new Keyed(byId('controls'), {
      key: ({ name }) => name,
      make: ({ name }) => this.makeBackend(name),
      update: (row, backend) => this.updateBackend(row, backend),
    });
  }

  /** Asks for something to be done; says what was refused. */
  async act(action) {
    try {
      const answer = await fetch('/actions', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Fairlead-Dashboard': '1' },
        body: JSON.stringify(action),
      });
      if (!answer.ok) this.say((await answer.text()).trim());
    } catch {
      this.say('fairlead does not answer');
    }
  }

  describe({ backends, mostInstances }) {
    this.described = backends;
    this.mostInstances = mostInstances;
  }

  show(state) {
    this.state = state;
    const shares = new Map();
    for (const weights of Object.values(state.weights)) {
      for (const [backend, weight] of Object.entries(weights)) shares.set(backend, weight);
    }
    this.backends.show(
      this.described.map((backend) => ({
        ...backend,
        wanted: state.wanted[backend.name],
        weight: shares.get(backend.name),
      })),
    );
    const isSending = state.load > 0;
    const rate = byId('rate');
    if (isSending && document.activeElement !== rate) rate.value = String(state.load);
    setText(byId('send'), isSending ? 'Stop load' : 'Send load');
    setAttributes(byId('send'), { disabled: false, 'data-on': isSending });
  }

  makeBackend(name) {
    const scale = (by) => this.act({ action: 'scale', backend: name, count: this.state.wanted[name] + by });
    const less = element(
      'button',
      { type: 'button', class: 'step', 'aria-label': `One instance of ${name} less` },
      '−',
    );
    const more = element(
      'button',
      { type: 'button', class: 'step', 'aria-label': `One instance of ${name} more` },
      '+',
    );
    less.addEventListener('click', () => scale(-1));
    more.addEventListener('click', () => scale(1));
    const wanted = element('output', { 'aria-label': `Instances of ${name}` });
    const id = `weight-${name}`;
    const weight = element('input', { type: 'range', min: 0, max: 100, step: 5, id });
    const percent = element('output', { for: id });
    const isChosen = { now: false };
    weight.addEventListener('input', () => {
      isChosen.now = true;
      setText(percent, `${weight.value} %`);
    });
    weight.addEventListener('change', async () => {
      await this.act({ action: 'weigh', backend: name, percent: Number(weight.value) });
      isChosen.now = false;
    });
    const weighing = element('div', { class: 'weighing' }, element('label', { for: id }, 'share'), weight, percent);
    const row = element(
      'div',
      { class: 'control' },
      element('div', { class: 'name' }, element('b', {}, name), element('span', { class: 'muted' })),
      element('div', { class: 'stepper', role: 'group', 'aria-label': `Scale ${name}` }, less, wanted, more),
      weighing,
    );
    Object.assign(row, { less, more, wanted, weight, percent, weighing, isChosen });
    return row;
  }

  updateBackend(row, { program, wanted, weight }) {
    setText(row.querySelector('.name span'), program);
    setText(row.wanted, String(wanted));
    row.less.disabled = wanted <= 1;
    row.more.disabled = wanted >= this.mostInstances;
    row.weighing.hidden = weight === undefined;
    if (weight === undefined || row.isChosen.now) return;
    if (row.weight.value !== String(weight)) row.weight.value = String(weight);
    setText(row.percent, `${weight} %`);
  }

  say(text) {
    const toast = byId('toast');
    toast.hidden = false;
    setText(toast, text);
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => {
      toast.hidden = true;
    }, toastShown);
  }
}
