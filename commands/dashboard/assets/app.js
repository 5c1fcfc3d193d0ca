"use strict";
// Client-side behavior: lanes are loaded when they scroll into view, a call opens in a dialog, and the timeline can be
// saved as PNG.
(() => {
  const byId = id => document.getElementById(id);
  const lanes = byId("lanes"), dialog = byId("call");

  // loadVisible loads the chunks in view whose drawing is outdated.
  const loadVisible = () => {
    const box = lanes.getBoundingClientRect(), stamp = byId("stamp").textContent;
    for (const c of lanes.querySelectorAll(".chunk")) {
      const r = c.getBoundingClientRect();
      if (c.dataset.stamp !== stamp && r.bottom > box.top - 300 && r.top < box.bottom + 300) {
        c.dataset.stamp = stamp;
        htmx.trigger(c, "refresh");
      }
    }
  };
  let scheduled = false;
  const scheduleLoad = () => {
    if (!scheduled) {
      scheduled = true;
      requestAnimationFrame(() => { scheduled = false; loadVisible(); });
    }
  };
  lanes.addEventListener("scroll", scheduleLoad, { passive: true });
  addEventListener("resize", scheduleLoad);
  document.body.addEventListener("htmx:sseMessage", e => {
    if (e.detail.type === "stamp" || e.detail.type === "chunks") scheduleLoad();
  });
  document.body.addEventListener("htmx:load", scheduleLoad, { once: true });

  lanes.addEventListener("click", e => {
    const c = e.target.closest(".chunk");
    if (!c) return;
    const lane = Number(c.dataset.first) + Math.floor((e.clientY - c.getBoundingClientRect().top) / Number(c.dataset.lane));
    htmx.ajax("GET", `/call?job=${encodeURIComponent(c.dataset.job)}&lane=${lane}`, { target: "#call-body" });
  });

  // Store the ID of the row that opened the call: the row itself may be replaced before the dialog is closed.
  let from = "";
  document.body.addEventListener("htmx:afterSwap", e => {
    if (e.target.id !== "call-body") return;
    if (!dialog.open) {
      from = document.activeElement.id;
      dialog.showModal();
    }
    byId("h-call").focus();
  });
  dialog.addEventListener("close", () => byId(from)?.focus());
  dialog.addEventListener("click", e => {
    if (e.target === dialog || e.target.closest(".close")) dialog.close();
  });

  document.body.addEventListener("htmx:sseOpen", () => document.body.classList.remove("lost"));
  document.body.addEventListener("htmx:sseError", () => document.body.classList.add("lost"));

  // Convert the SVG timeline of the server to PNG.
  byId("save").addEventListener("click", async e => {
    if (e.target.id !== "save-png") return;
    const link = byId("save-svg");
    const response = await fetch(link.href);
    const image = new Image();
    image.src = URL.createObjectURL(await response.blob());
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.width;
    canvas.height = 2 * image.height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    canvas.toBlob(blob => {
      const a = document.createElement("a");
      a.href = URL.createObjectURL(blob);
      a.download = link.download.replace(/svg$/, "png");
      a.click();
      setTimeout(() => URL.revokeObjectURL(a.href), 60000);
    });
  });
})();
