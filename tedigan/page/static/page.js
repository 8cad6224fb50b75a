// The page: sources on the left, what comes of them on the right, one face in a dialog.

import { SENTENCES } from "./examples.js";
import { ask, base64Of, imageOf, sourceOf } from "./server.js";
import { LabelMap, Sketch } from "./sheets.js";

const COUNT = 8;
const KINDS = ["sketch", "label", "photograph", "style"];
const TITLES = { text: "Sentence", sketch: "Sketch", label: "Label map", photograph: "Photograph", style: "Style" };
const CLASSES = {
  background: "background", skin: "skin", nose: "nose", eye_g: "glasses", l_eye: "left eye", r_eye: "right eye",
  l_brow: "left brow", r_brow: "right brow", l_ear: "left ear", r_ear: "right ear", mouth: "mouth", u_lip: "upper lip",
  l_lip: "lower lip", hair: "hair", hat: "hat", ear_r: "earring", neck_l: "necklace", neck: "neck", cloth: "clothes",
};
const $ = (selector) => document.querySelector(selector);

const faces = { photograph: null, style: null }; // base64 PNGs as the model sees them
const sliders = {}; // by source: the weight's row and its layers
let offers, about, sheets, shown; // shown: the set that stands in the grid
let isDrawing = false;
let wanted = null; // what is to be drawn when the present drawing is done
let open = null; // the face in the dialog

// ---- words

function say(text, kind = "") {
  $("#said").textContent = text;
  $("#said").className = kind;
}

async function trying(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message, "bad");
    return undefined;
  }
}

function spans(layers) {
  const runs = [];
  for (const layer of layers) {
    const last = runs.at(-1);
    if (last && layer === last[1] + 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  return runs.map(([first, end]) => (first === end ? `${first}` : `${first}-${end}`)).join(", ");
}

function layersOf(text, name) {
  const layers = [];
  for (const part of text.split(",").map((one) => one.trim()).filter(Boolean)) {
    const found = /^(\d{1,2})(?:\s*-\s*(\d{1,2}))?$/.exec(part);
    if (!found) throw new Error(`The layers of the ${TITLES[name].toLowerCase()} are "${text}"; write such as 0-4, 7.`);
    for (let layer = Number(found[1]); layer <= Number(found[2] ?? found[1]); layer += 1) layers.push(layer);
  }
  return layers;
}

// ---- sources

function pictureOf(kind) {
  return sheets[kind] ? sheets[kind].picture() : faces[kind];
}

function isGiven(kind) {
  return sheets[kind] ? !sheets[kind].isEmpty() : faces[kind] !== null;
}

function sourcesChanged() {
  for (const kind of KINDS) {
    const given = isGiven(kind);
    $(`#tab-${kind}`).classList.toggle("given", given);
    sliders[kind].weight.hidden = sliders[kind].layers.hidden = !given;
  }
  sliders.text.weight.hidden = !KINDS.some(isGiven); // alone, its strength says all
}

function choose(kind) {
  for (const one of KINDS) {
    const is = one === kind;
    const tab = $(`#tab-${one}`);
    tab.setAttribute("aria-selected", String(is));
    tab.tabIndex = is ? 0 : -1;
    $(`#panel-${one}`).hidden = !is;
  }
  sheets[kind]?.setWidth(sheets[kind].width);
}

const chosen = () => KINDS.find((kind) => !$(`#panel-${kind}`).hidden);

function setFace(kind, picture) {
  faces[kind] = picture;
  const panel = $(`#panel-${kind}`);
  const image = panel.querySelector("img");
  image.hidden = picture === null;
  panel.querySelector(".drop span").hidden = picture !== null;
  panel.querySelector("[data-do=remove]").disabled = picture === null;
  if (picture !== null) image.src = sourceOf(picture);
  sourcesChanged();
}

// A picture that somebody chose, as the model understands it.
async function give(kind, file) {
  if (about.lacks[kind]) throw new Error(about.lacks[kind]);
  const asked = { model: $("#model").value, kind, picture: await base64Of(file) };
  const { picture, notes } = await ask("/api/understand", asked);
  if (sheets[kind]) sheets[kind].show(await imageOf(picture));
  else setFace(kind, picture);
  choose(kind);
  say(notes.join(" ") || `${TITLES[kind]}: taken. Draw to see what it does.`);
}

function trace(panel, file) {
  const image = panel.querySelector(".template");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  image.hidden = false;
  image.onerror = () => {
    image.hidden = true;
    say("The picture to trace cannot be shown; choose a JPEG, PNG or WebP.", "bad");
  };
}

function opened(input) {
  const [file] = input.files;
  input.value = "";
  if (!file) return;
  const kind = input.dataset.opens;
  if (kind === "template") trace(input.closest(".panel"), file);
  else if (kind === "kept") trying(() => openKept(file));
  else trying(() => give(kind, file));
}

// ---- sliders

function sliderRow(name, title, min, max, step, value) {
  const row = document.createElement("label");
  row.className = "slider";
  row.dataset.of = name;
  row.innerHTML = "<span></span><output></output><input type='range'>";
  row.querySelector("span").textContent = title;
  Object.assign(row.querySelector("input"), { min, max, step, value });
  return row;
}

const inputOf = (name) => $(`.slider[data-of="${name}"] input`);

function setSlider(name, value) {
  inputOf(name).value = value;
  inputOf(name).closest(".slider").querySelector("output").textContent = String(Number(value));
}

function makeSliders() {
  for (const kind of ["text", ...KINDS]) {
    const weight = sliderRow(`weight-${kind}`, kind === "text" ? "Weight of the sentence" : `Weight of the ${TITLES[kind].toLowerCase()}`, 0, 1, 0.05, 1);
    $("#sliders").append(weight);
    const layers = document.createElement("label");
    layers.textContent = `Layers of the ${TITLES[kind].toLowerCase()} `;
    const input = Object.assign(document.createElement("input"), { type: "text", placeholder: "as measured" });
    layers.append(input);
    layers.hidden = true;
    if (kind !== "text") $("#layers").append(layers);
    sliders[kind] = { weight, layers, input };
  }
  for (const row of document.querySelectorAll(".slider")) {
    row.querySelector("output").textContent = String(Number(row.querySelector("input").value));
    row.addEventListener("input", () => setSlider(row.dataset.of, row.querySelector("input").value));
  }
}

// ---- recipes

function recipe() {
  const text = about.lacks.text ? null : $("#sentence").value.trim() || null;
  const given = KINDS.filter((kind) => isGiven(kind) && !about.lacks[kind]);
  const names = text === null ? given : ["text", ...given];
  const layers = given.map((kind) => [kind, layersOf(sliders[kind].input.value, kind)]).filter(([, one]) => one.length);
  return {
    text,
    pictures: Object.fromEntries(given.map((kind) => [kind, pictureOf(kind)])),
    layers: Object.fromEntries(layers),
    weights: Object.fromEntries(names.map((name) => [name, Number(inputOf(`weight-${name}`).value)])),
    strength: Number(inputOf("strength").value),
    truncation_psi: Number(inputOf("truncation_psi").value),
    seed: Number($("#seed").value),
    n: COUNT,
    variation: null,
  };
}

async function restore(kept) {
  $("#sentence").value = kept.text ?? "";
  $("#seed").value = kept.seed;
  setSlider("strength", kept.strength);
  setSlider("truncation_psi", kept.truncation_psi);
  for (const kind of ["text", ...KINDS]) {
    setSlider(`weight-${kind}`, kept.weights[kind] ?? 1);
    sliders[kind].input.value = spans(kept.layers[kind] ?? []);
  }
  for (const kind of KINDS) {
    const picture = kept.pictures[kind] ?? null;
    if (!sheets[kind]) setFace(kind, picture);
    else if (picture === null) sheets[kind].clear();
    else sheets[kind].show(await imageOf(picture));
  }
  const first = KINDS.find((kind) => kept.pictures[kind]);
  if (first) choose(first);
}

// ---- faces

async function draw(asked) {
  const model = $("#model").value;
  return { model, recipe: asked, ...await ask("/api/draw", { model, recipe: asked }) };
}

function button(set, index) {
  const face = document.createElement("button");
  face.className = "face";
  face.type = "button";
  face.setAttribute("aria-label", `Face ${index + 1} of ${set.faces.length}: open it`);
  const image = document.createElement("img");
  image.alt = "";
  image.src = sourceOf(set.faces[index]);
  face.append(image);
  return face;
}

function show(set) {
  shown = set;
  const made = set.faces.map((_, index) => {
    const face = button(set, index);
    face.addEventListener("click", () => enlarge(set, index));
    return face;
  });
  $("#faces").replaceChildren(...made);
  $("#report ul").replaceChildren(...set.report.map((line) => Object.assign(document.createElement("li"), { textContent: line.replaceAll("_", " ") })));
}

function showNothing() {
  const blanks = Array.from({ length: COUNT }, () => {
    const blank = document.createElement("div");
    blank.className = "face blank";
    blank.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><use href="#i-face"/></svg>';
    return blank;
  });
  $("#faces").replaceChildren(...blanks);
}

function busy(is) {
  isDrawing = is;
  $("#faces").setAttribute("aria-busy", String(is));
  if (is) say("Drawing …");
}

// One drawing at a time; of those that are asked for meanwhile, the last.
async function drawFaces() {
  if (isDrawing) {
    wanted = drawFaces;
    return;
  }
  await trying(async () => {
    const asked = recipe();
    if (asked.text === null && !Object.keys(asked.pictures).length) {
      throw new Error("Nothing is given yet: draw, paint, choose a photograph, or write a sentence.");
    }
    busy(true);
    const began = performance.now();
    show(await draw(asked));
    say(`${COUNT} faces in ${((performance.now() - began) / 1000).toFixed(1)} s. Choose one to see it large, vary and keep it.`);
  });
  busy(false);
  const next = wanted;
  wanted = null;
  next?.();
}

// ---- a kept picture

async function openKept(file) {
  const { kept, model, is_untouched: isUntouched } = await ask("/api/open", { picture: await base64Of(file) });
  if (model !== null && model !== $("#model").value) await useModel(model);
  await restore(kept.recipe);
  busy(true);
  try {
    const set = await draw(kept.recipe);
    show(set);
    const isSame = set.digests[kept.face] === kept.pixels_sha256;
    $("#faces").children[kept.face]?.classList.add(isSame ? "same" : "other");
    const digest = kept.pixels_sha256.slice(0, 12);
    if (isSame && isUntouched) say(`Drawn again: the same pixels (sha256 ${digest}…).`, "good");
    else if (isSame) say("Drawn again as its recipe says; the file's own pixels were changed since it was kept.", "bad");
    else if (model === null) say("Drawn again, but the pixels differ: none of the models here made it.", "bad");
    else say(`Drawn again, but the pixels differ: ${difference(kept.made_on, set.made_on)}.`, "bad");
  } finally {
    isDrawing = false;
    $("#faces").setAttribute("aria-busy", "false");
  }
}

function difference(then, now) {
  const other = Object.keys(then).filter((name) => then[name] !== now[name]);
  return other.map((name) => `${name} was ${then[name]} and is ${now[name]}`).join("; ") || "the code was changed";
}

// ---- one face, large

function enlarge(set, index) {
  open = { set, index, base: index, isWaiting: false, next: null };
  $("#variations").hidden = true;
  $("#variations").replaceChildren();
  setSlider("one-strength", set.recipe.strength);
  inputOf("one-strength").disabled = set.recipe.text === null;
  $("#vary").disabled = set.recipe.variation !== null;
  showOne();
  if (!$("#large").open) $("#large").showModal();
}

const isCrisp = () => about.size_px <= 128;

function showOne() {
  const { set, index } = open;
  $("#one").src = sourceOf(set.faces[index]);
  $("#one").alt = `Face ${index + 1}`;
  $("#one-said").textContent = `${about.size_px} px, pixels sha256 ${set.digests[index].slice(0, 16)}…`;
  const pictures = Object.fromEntries(Object.entries(set.recipe.pictures).map(([kind, one]) => [kind, `PNG, ${Math.round(one.length * 0.75 / 1024)} KB`]));
  const told = { ...set.recipe, pictures, face: index, pixels_sha256: set.digests[index], models: set.models, made_on: set.made_on };
  $("#recipe").textContent = JSON.stringify(told, null, 1);
}

// The face of the dialog by another recipe; while one is drawn, the last that is asked for waits.
async function redraw(asked, index) {
  const face = open;
  if (face.isWaiting) {
    face.next = [asked, index];
    return;
  }
  face.isWaiting = true;
  $("#one").classList.add("waiting");
  const set = await draw(asked).catch((error) => { $("#one-said").textContent = error.message; });
  face.isWaiting = false;
  $("#one").classList.remove("waiting");
  if (face !== open) return;
  if (set) {
    [face.set, face.index] = [set, index];
    showOne();
  }
  const { next } = face;
  face.next = null;
  if (next) redraw(...next);
}

async function vary() {
  const { set, index } = open;
  const asked = { ...set.recipe, variation: { of: index, seed: Math.floor(Math.random() * 2 ** 31) } };
  $("#vary").disabled = true;
  const varied = await draw(asked).catch((error) => { $("#one-said").textContent = error.message; });
  $("#vary").disabled = false;
  if (!varied) return;
  const made = varied.faces.map((_, place) => {
    const face = button(varied, place);
    face.addEventListener("click", () => {
      [open.set, open.index] = [varied, place];
      $("#vary").disabled = true;
      showOne();
    });
    return face;
  });
  $("#variations").replaceChildren(...made);
  $("#variations").hidden = false;
}

function keep() {
  const { set, index } = open;
  const words = (set.recipe.text ?? Object.keys(set.recipe.pictures).join("-")).toLowerCase();
  const name = words.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 48);
  const bytes = Uint8Array.from(atob(set.faces[index]), (one) => one.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: `${name}-${set.digests[index].slice(0, 8)}.png` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function asStyle() {
  const { set, index } = open;
  const file = new Blob([Uint8Array.from(atob(set.faces[index]), (one) => one.charCodeAt(0))]);
  $("#large").close();
  await trying(() => give("style", file));
}

// ---- models

async function useModel(name) {
  $("#model").value = name;
  $("#licence").textContent = offers.models.find((one) => one.name === name).licence;
  say("Opening the model …");
  about = await ask(`/api/models/${encodeURIComponent(name)}`);
  for (const kind of KINDS) {
    const lack = about.lacks[kind];
    const panel = $(`#panel-${kind}`);
    panel.classList.toggle("lacking", Boolean(lack));
    panel.querySelector(".lack").textContent = lack;
    panel.querySelector(".lack").hidden = !lack;
    $(`#tab-${kind}`).classList.toggle("lacking", Boolean(lack));
    for (const control of panel.querySelectorAll(".tools button, input, canvas")) {
      if (control.tagName === "CANVAS") control.tabIndex = lack ? -1 : 0;
      else control.disabled = Boolean(lack) || (control.dataset.do === "remove" && faces[kind] === null);
    }
    sliders[kind].input.placeholder = about.layers[kind] ? spans(about.layers[kind]) : "as measured";
  }
  $("#lack-text").textContent = about.lacks.text;
  $("#lack-text").hidden = !about.lacks.text;
  $("#sentence").disabled = Boolean(about.lacks.text);
  for (const place of [$("#faces"), $("#variations")]) place.classList.toggle("crisp", isCrisp());
  $("#one").classList.toggle("crisp", isCrisp());
  document.documentElement.dataset.model = name;
  say("");
}

// ---- all of it together

function makePalette(panel, palette) {
  Object.entries(palette).forEach(([name, colour], index) => {
    const swatch = document.createElement("label");
    swatch.className = "swatch";
    swatch.title = /^[lr]_(eye|brow|ear)$/.test(name) ? `${name}: the person's own ${name[0] === "l" ? "left" : "right"}` : name;
    swatch.innerHTML = "<input type='radio' name='class'><i></i><span></span>";
    swatch.querySelector("i").style.setProperty("--colour", `rgb(${colour.join(" ")})`);
    swatch.querySelector("span").textContent = CLASSES[name] ?? name;
    const input = swatch.querySelector("input");
    input.checked = index === 1;
    const paint = () => panel.querySelector(".nib").style.setProperty("--paint", `rgb(${colour.join(" ")})`);
    if (input.checked) paint();
    input.addEventListener("change", () => {
      sheets.label.chosen = index;
      paint();
      if (sheets.label.tool === "eraser") sheets.label.setTool("brush");
    });
    panel.querySelector(".palette").append(swatch);
  });
}

function listenToTabs() {
  for (const kind of KINDS) $(`#tab-${kind}`).addEventListener("click", () => choose(kind));
  $(".tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const kind = KINDS[(KINDS.indexOf(chosen()) + step + KINDS.length) % KINDS.length];
    choose(kind);
    $(`#tab-${kind}`).focus();
  });
}

function listenToDrops() {
  let depth = 0;
  const hint = (is) => { $("#drop-here").hidden = !is; };
  document.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; hint(true); });
  document.addEventListener("dragleave", () => { depth -= 1; hint(depth > 0); });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    hint(false);
    const [file] = event.dataTransfer.files;
    if (file) trying(() => dropped(file));
  });
}

// A kept picture is opened; any other is for the tab that is open.
async function dropped(file) {
  try {
    await openKept(file);
  } catch (error) {
    if (!error.message.includes("carries no recipe")) throw error;
    await give(chosen(), file);
  }
}

function listen() {
  listenToTabs();
  listenToDrops();
  for (const input of document.querySelectorAll("input[type=file]")) input.addEventListener("change", () => opened(input));
  for (const kind of ["photograph", "style"]) {
    $(`#panel-${kind} [data-do=remove]`).addEventListener("click", () => setFace(kind, null));
  }
  $("#ask").addEventListener("submit", (event) => { event.preventDefault(); drawFaces(); });
  $("#sentence").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    drawFaces();
  });
  $("#surprise").addEventListener("click", () => {
    $("#seed").value = Math.floor(Math.random() * 2 ** 31);
    drawFaces();
  });
  $("#sliders").addEventListener("change", () => { if (shown) drawFaces(); });
  $("#model").addEventListener("change", () => trying(async () => {
    showNothing();
    shown = undefined;
    await useModel($("#model").value);
  }));
  inputOf("one-strength").addEventListener("input", () => {
    const asked = { ...open.set.recipe, strength: Number(inputOf("one-strength").value), variation: null };
    $("#vary").disabled = false;
    $("#variations").hidden = true;
    redraw(asked, open.base);
  });
  $("#vary").addEventListener("click", vary);
  $("#keep").addEventListener("click", keep);
  $("#as-style").addEventListener("click", asStyle);
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("textarea, input")) return;
    const sheet = sheets[chosen()];
    const name = event.key.toLowerCase() === "z" ? (event.shiftKey ? "redo" : "undo") : event.key.toLowerCase() === "y" ? "redo" : "";
    if (!sheet || !name) return;
    event.preventDefault();
    sheet[name]();
  });
}

async function begin() {
  offers = await ask("/api/offers");
  for (const { name, title } of offers.models) $("#model").append(new Option(title, name));
  makeSliders();
  sheets = {};
  sheets.sketch = new Sketch($("#panel-sketch"), sourcesChanged);
  sheets.label = new LabelMap($("#panel-label"), sourcesChanged, offers.palette);
  makePalette($("#panel-label"), offers.palette);
  for (const sentence of SENTENCES) {
    const chip = Object.assign(document.createElement("button"), { type: "button", textContent: sentence });
    chip.addEventListener("click", () => { $("#sentence").value = sentence; });
    $("#sentences").append(chip);
  }
  showNothing();
  listen();
  sourcesChanged();
  await useModel(offers.models[0].name);
  choose(KINDS.find((kind) => !about.lacks[kind]) ?? "sketch");
  document.documentElement.dataset.ready = "yes";
}

trying(begin);
